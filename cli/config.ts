// The configuration of the command line and of the embedded shape: one schema for every setting,
// where each comes from, and what each is for. docs/configuration.md is made from this file.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type } from "arktype";
import { messageOf } from "#core/model/fault";
import { didYouMean } from "#core/playbook/template/suggest";
import { UsageError } from "./arguments.ts";

const port = type("string.integer.parse").to("0 <= number <= 65535").describe("a port, 0 to 65535");
const count = type("string.integer.parse").to("1 <= number <= 4096").describe("1 to 4096");
const duration = type("string.integer.parse")
  .to("0 <= number <= 3600000")
  .describe("milliseconds, 0 to 3600000");
const address = type("/^https?:\\/\\/\\S+$/").describe("an http or https address");
const text = type("string > 0").describe("text");

/** Every setting as the environment gives it: by its name there, as text. */
const schema = type({
  "NOETL_SERVER_URL?": address,
  NOETL_DIRECTORY: text.default(".noetl"),
  NOETL_HOST: text.default("127.0.0.1"),
  NOETL_PORT: port.default("8082"),
  NOETL_SLOTS: count.default("64"),
  NOETL_STOP_GRACE_MS: duration.default("10000"),
  "NOETL_CREDENTIALS_FILE?": text,
  "DATABASE_URL?": text,
});

type Values = typeof schema.infer;
export type SettingName = keyof Values;

interface About {
  /** As the environment would give it. */
  readonly default?: string;
  readonly secret?: true;
  readonly text: string;
}

/** What each setting is for, in the order in which they are shown. */
const abouts: Readonly<Record<SettingName, About>> = {
  NOETL_SERVER_URL: {
    text: "The control plane that commands talk to. Without it, the one that `noetl dev` runs from this directory.",
  },
  NOETL_DIRECTORY: {
    default: ".noetl",
    text: "Where the embedded shape keeps its files, relative to the working directory.",
  },
  NOETL_HOST: { default: "127.0.0.1", text: "The address that `noetl dev` listens on." },
  NOETL_PORT: {
    default: "8082",
    text: "The port that `noetl dev` listens on, or the next free one; 0 for any free port.",
  },
  NOETL_SLOTS: { default: "64", text: "Commands that the embedded worker runs at the same time." },
  NOETL_STOP_GRACE_MS: {
    default: "10000",
    text: "How long running tools may go on when `noetl dev` is asked to stop.",
  },
  NOETL_CREDENTIALS_FILE: {
    text: "A YAML or JSON file that maps aliases to credentials: `alias: {type: postgres, data: {…}}`.",
  },
  DATABASE_URL: {
    secret: true,
    text: "A PostgreSQL server for the log. Not supported by `noetl dev` yet, which says so.",
  },
};

export type SettingSource = "default" | "environment" | "file";

export interface Setting {
  readonly name: SettingName;
  /** As text; undefined where there is neither a value nor a default. Secrets are masked. */
  readonly shown: string | undefined;
  readonly source: SettingSource;
}

export interface Configuration {
  readonly values: Values;
  readonly settings: readonly Setting[];
  /** What is set and means nothing: one sentence each. */
  readonly warnings: readonly string[];
}

export const configFile = join(".noetl", "config.yaml");

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment over `.noetl/config.yaml` over the defaults. An empty value is no value.
 * @throws UsageError naming the setting and what it expects; never the value of a secret.
 */
export function readConfiguration(
  environment: Environment = process.env,
  directory = process.cwd(),
): Configuration {
  const file = fileValues(join(directory, configFile));
  const names = Object.keys(abouts) as SettingName[];
  const given: Record<string, string> = {};
  const settings = names.map((name): Setting => {
    const fromEnvironment = environment[name] === "" ? undefined : environment[name];
    const value = fromEnvironment ?? file[name];
    if (value !== undefined) given[name] = value;
    const source =
      fromEnvironment !== undefined ? "environment" : value !== undefined ? "file" : "default";
    return { name, shown: shown(name, value ?? abouts[name].default), source };
  });
  const values = schema(given);
  if (values instanceof type.errors) {
    const [problem] = values;
    const name = String(problem?.path[0] ?? "");
    throw new UsageError(
      `${name}: expected ${problem?.expected ?? "another value"}, found ${shown(name, given[name]) ?? "nothing"}`,
    );
  }
  return { values, settings, warnings: unknownNames(environment, file, names) };
}

/** The values, after telling on standard error what is set to no purpose. */
export function configured(environment: Environment = process.env): Values {
  const { values, warnings } = readConfiguration(environment);
  for (const warning of warnings) console.error(`noetl: ${warning}`);
  return values;
}

function shown(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const isSecret = name in abouts && abouts[name as SettingName].secret === true;
  return isSecret ? "********" : value;
}

function fileValues(path: string): Readonly<Record<string, string>> {
  if (!existsSync(path)) return {};
  let parsed: unknown;
  try {
    parsed = Bun.YAML.parse(readFileSync(path, "utf8")) ?? {};
  } catch (thrown) {
    throw new UsageError(`${configFile}: ${messageOf(thrown)}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`${configFile}: expected a map of settings by name`);
  }
  const entries = Object.entries(parsed).filter(([, value]) => value !== null && value !== "");
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function unknownNames(
  environment: Environment,
  file: Readonly<Record<string, string>>,
  names: readonly string[],
): readonly string[] {
  const ours = Object.keys(environment).filter((name) => name.startsWith("NOETL_"));
  const unknown = (where: string) => (name: string) =>
    `${name} in ${where} is no setting${hint(name, names)}`;
  return [
    ...ours.filter((name) => !names.includes(name)).map(unknown("the environment")),
    ...Object.keys(file)
      .filter((name) => !names.includes(name))
      .map(unknown(configFile)),
  ];
}

/** Names are compared in lower case, and told as they are written. */
function hint(name: string, names: readonly string[]): string {
  const lower = names.map((known) => known.toLowerCase());
  return didYouMean(name, lower).replace(/'.*'/, (quoted) => quoted.toUpperCase());
}

export interface SettingDocument {
  readonly name: SettingName;
  readonly expected: string;
  readonly default: string | undefined;
  readonly secret: boolean;
  readonly text: string;
}

/** Every setting with what it expects, for the documentation. */
export function settingDocuments(): readonly SettingDocument[] {
  return (Object.keys(abouts) as SettingName[]).map((name) => {
    const about = abouts[name];
    return {
      name,
      expected: expectedOf(name),
      default: about.default,
      secret: about.secret === true,
      text: about.text,
    };
  });
}

/** What the schema says to a value that it refuses. */
function expectedOf(name: SettingName): string {
  const refused = schema({ [name]: "" });
  if (!(refused instanceof type.errors)) return "text";
  return refused.find(({ path }) => path[0] === name)?.expected ?? "text";
}
