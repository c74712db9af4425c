// The settings of the command line and of the embedded shape, and the lists of all processes. What
// is read here is refused as a command line is: with one sentence and code 2.

import { controlSettings, platformSettings } from "#control/config";
import {
  type Configuration,
  readSettings,
  type SettingTexts,
  settingTexts,
  unknownSettings,
} from "#core/adapters/configuration";
import { Fault } from "#core/model/fault";
import {
  count,
  durationMs,
  firstAddress,
  port,
  type Settings,
  type SettingValues,
  text,
} from "#core/model/settings";
import { runToolSettings, workerSettings } from "#worker/config";
import type { BuiltinToolOptions } from "#worker/registry";
import { runToolOptions } from "#worker/run-tool-options";
import { UsageError } from "./arguments.ts";
import { contextSettings } from "./context-settings.ts";
import { version } from "./version.ts";

export const commandSettings = {
  NOETL_SERVER_URL: {
    shape: firstAddress,
    text: "The control plane that commands talk to. Without it, the one that `noetl dev` runs from this directory.",
  },
  ...contextSettings,
  NOETL_DIRECTORY: {
    shape: text,
    default: ".noetl",
    text: "Where the embedded shape keeps its files, relative to the working directory.",
  },
  NOETL_HOST: {
    shape: text,
    default: "127.0.0.1",
    text: "The address that `noetl dev` listens on.",
  },
  NOETL_PORT: {
    shape: port,
    default: "8082",
    text: "The port that `noetl dev` listens on, or the next free one; 0 for any free port.",
  },
  NOETL_SLOTS: {
    shape: count,
    default: "64",
    text: "Commands that the embedded worker runs at the same time.",
  },
  NOETL_DUCKDB_EXTENSIONS: {
    shape: text,
    text: "A folder with extensions of DuckDB that steps may need; without it, only those that are built in.",
  },
  ...runToolSettings,
  NOETL_STOP_GRACE_MS: {
    shape: durationMs,
    default: "10000",
    text: "How long running tools may go on when `noetl dev` is asked to stop.",
  },
  ...platformSettings,
  NOETL_ACCESS: { ...platformSettings.NOETL_ACCESS, default: "local" },
  NOETL_CREDENTIALS_FILE: {
    shape: text,
    text: "A YAML or JSON file that maps aliases to credentials: `alias: {type: postgres, data: {…}}`.",
  },
  DATABASE_URL: {
    shape: text,
    secret: true,
    text: "A PostgreSQL server for the log. Not supported by `noetl dev` yet, which says so.",
  },
} as const satisfies Settings;

export type CommandValues = SettingValues<typeof commandSettings>;

/** The settings of one process, under the command that runs it. */
export interface ProcessSettings {
  readonly process: string;
  readonly settings: Settings;
}

/** Every process with its settings, in the order in which they are shown. */
export const processes: readonly ProcessSettings[] = [
  { process: "noetl", settings: commandSettings },
  { process: "noetl control", settings: controlSettings },
  { process: "noetl worker", settings: workerSettings },
];

const known = processes.flatMap(({ settings }) => Object.keys(settings));

type Environment = SettingTexts["environment"];

/**
 * The settings of one process, and what is set to no purpose.
 * @throws UsageError naming the setting and what it expects; never the value of a secret.
 */
export function configurationOf<const Of extends Settings>(
  settings: Of,
  environment: Environment = process.env,
  directory = process.cwd(),
): Configuration<Of> & { readonly warnings: readonly string[] } {
  try {
    const texts = settingTexts(environment, directory);
    return { ...readSettings(settings, texts), warnings: unknownSettings(texts, known) };
  } catch (thrown) {
    throw thrown instanceof Fault ? new UsageError(thrown.message) : thrown;
  }
}

/** The settings of commands and of the embedded shape. @throws UsageError like `configurationOf`. */
export function readConfiguration(environment: Environment = process.env, directory?: string) {
  return configurationOf(commandSettings, environment, directory);
}

/** The values for one process, after telling on standard error what is set to no purpose. */
export function configuredFor<const Of extends Settings>(
  settings: Of,
  environment: Environment = process.env,
): SettingValues<Of> {
  const { values, warnings } = configurationOf(settings, environment);
  for (const warning of warnings) console.error(`noetl: ${warning}`);
  return values;
}

/**
 * What the settings say about the tools of the embedded worker.
 * @param serverUrl where it can be reached from outside of its process, if at all.
 */
export function embeddedTools(
  values: CommandValues,
  serverUrl?: () => string | undefined,
): BuiltinToolOptions {
  const { NOETL_DUCKDB_EXTENSIONS: extensions } = values;
  return {
    ...(extensions === undefined ? {} : { duckdb: { extensions } }),
    run: runToolOptions(values, { version, ...(serverUrl === undefined ? {} : { serverUrl }) }),
  };
}

/** The values for commands and the embedded shape; warns as `configuredFor` does. */
export function configured(environment: Environment = process.env): CommandValues {
  return configuredFor(commandSettings, environment);
}
