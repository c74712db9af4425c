// Reads the settings of one process: the environment over `.noetl/config.yaml` over the defaults.
// It knows where each value came from, masks secrets, and names what is set to no purpose.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type } from "arktype";
import { Fault, messageOf } from "#core/model/fault";
import type { Setting, Settings, SettingValues } from "#core/model/settings";
import { didYouMean } from "#core/playbook/template/suggest";

export type SettingSource = "default" | "environment" | "file";

export interface ShownSetting {
  readonly name: string;
  /** As text; undefined where there is neither a value nor a default. Secrets are masked. */
  readonly shown: string | undefined;
  readonly source: SettingSource;
}

export interface Configuration<Of extends Settings> {
  readonly values: SettingValues<Of>;
  readonly shown: readonly ShownSetting[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where values come from, as texts by name. */
export interface SettingTexts {
  readonly environment: Environment;
  readonly file: Readonly<Record<string, string>>;
}

export const configFile = join(".noetl", "config.yaml");

/**
 * The environment and the file below the directory.
 * @throws Fault `invalid` for a file that is no map of settings by name.
 */
export function settingTexts(
  environment: Environment = process.env,
  directory = process.cwd(),
): SettingTexts {
  return { environment, file: fileValues(join(directory, configFile)) };
}

/**
 * The values of these settings. An empty value is no value.
 * @throws Fault `invalid` naming the setting and what it expects; never the value of a secret.
 */
export function readSettings<const Of extends Settings>(
  settings: Of,
  texts: SettingTexts = settingTexts(),
): Configuration<Of> {
  const values: Record<string, unknown> = {};
  const shown = Object.entries(settings).map(([name, setting]): ShownSetting => {
    const { value: given, source } = givenText(name, texts);
    const value = given ?? setting.default;
    if (value !== undefined) values[name] = checked(name, setting, value);
    return { name, shown: masked(setting, value), source };
  });
  // Each value was checked by the very shape that its type was inferred from.
  return { values: values as SettingValues<Of>, shown };
}

function givenText(
  name: string,
  { environment, file }: SettingTexts,
): { readonly value: string | undefined; readonly source: SettingSource } {
  const fromEnvironment = environment[name];
  if (fromEnvironment !== undefined && fromEnvironment !== "") {
    return { value: fromEnvironment, source: "environment" };
  }
  const fromFile = file[name];
  return { value: fromFile, source: fromFile === undefined ? "default" : "file" };
}

function checked(name: string, setting: Setting, value: string): unknown {
  const result: unknown = setting.shape(value);
  if (!(result instanceof type.errors)) return result;
  const expected = result[0]?.expected ?? "another value";
  throw new Fault(
    "invalid",
    `${name}: expected ${expected}, found ${masked(setting, value) ?? "nothing"}`,
  );
}

function masked({ secret }: Setting, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  return secret === true ? "********" : value;
}

function fileValues(path: string): Readonly<Record<string, string>> {
  if (!existsSync(path)) return {};
  let parsed: unknown;
  try {
    parsed = Bun.YAML.parse(readFileSync(path, "utf8")) ?? {};
  } catch (thrown) {
    throw new Fault("invalid", `${configFile}: ${messageOf(thrown)}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Fault("invalid", `${configFile}: expected a map of settings by name`);
  }
  const entries = Object.entries(parsed).filter(([, value]) => value !== null && value !== "");
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/**
 * What is set and means nothing, one sentence each.
 * @param known the settings of all processes: an environment may be shared by several.
 */
export function unknownSettings(
  { environment, file }: SettingTexts,
  known: readonly string[],
): readonly string[] {
  const ours = Object.keys(environment).filter((name) => name.startsWith("NOETL_"));
  const unknown = (where: string) => (name: string) =>
    `${name} in ${where} is no setting${hint(name, known)}`;
  return [
    ...ours.filter((name) => !known.includes(name)).map(unknown("the environment")),
    ...Object.keys(file)
      .filter((name) => !known.includes(name))
      .map(unknown(configFile)),
  ];
}

/** Names are compared in lower case, and told as they are written. */
function hint(name: string, known: readonly string[]): string {
  const lower = known.map((one) => one.toLowerCase());
  return didYouMean(name, lower).replace(/'.*'/, (quoted) => quoted.toUpperCase());
}

/** What the shape of a setting says to a value that it refuses, for the documentation. */
export function expectedText({ shape }: Setting): string {
  for (const wrong of ["?", ""]) {
    const refused: unknown = shape(wrong);
    if (refused instanceof type.errors) return refused[0]?.expected ?? "text";
  }
  return "text";
}
