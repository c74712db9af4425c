// Reads the config of a container step (language reference §2.2): the program, what it is given,
// and what it may use. Values end in variables or in a job's description, never in a shell's text.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { containerTimeoutSecondsDefault, jobNameChars } from "#core/model/run-tool-limits";
import {
  configFailure,
  field,
  numberField,
  objectField,
  scalarText,
  textField,
  wrongShape,
} from "./call-config.ts";
import { callEnvironment } from "./process-group.ts";
import type { ToolContext } from "./tool.ts";

/** A variable with its value, or with the place in a secret of the cluster where that is. */
export type Variable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secretName: string; readonly secretKey: string };

export interface ContainerCall {
  /** The same over all attempts: whoever finds it taken finds what it began before. */
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly variables: readonly Variable[];
  readonly resources: JsonObject | undefined;
  readonly timeoutSeconds: number;
}

const variableName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const imageName = /^[A-Za-z0-9][A-Za-z0-9_./:@+-]*$/;

export function containerCall(config: JsonObject, context: ToolContext): ContainerCall {
  const image = textField(config, "image");
  if (image === undefined) throw configFailure("image: expected the name of an image, found none");
  if (!imageName.test(image.value)) throw configFailure("image: expected the name of an image");
  const timeout = numberField(config, "timeout_seconds", "timeout");
  if (timeout !== undefined && timeout.value <= 0) {
    throw configFailure(`${timeout.name}: expected seconds above 0, found ${timeout.value}`);
  }
  return {
    name: containerName(context.commandId),
    image: image.value,
    command: texts(config, "command"),
    args: texts(config, "args"),
    variables: variables(config, context),
    resources: objectField(config, "resources")?.value,
    timeoutSeconds: timeout?.value ?? containerTimeoutSecondsDefault,
  };
}

/** `noetl-` and the beginning of the command's digest. */
function containerName(commandId: string): string {
  return `noetl-${Bun.SHA256.hash(commandId, "hex")}`.slice(0, jobNameChars);
}

function texts(config: JsonObject, name: string): readonly string[] | undefined {
  const given = field(config, name);
  if (given === undefined) return undefined;
  if (!Array.isArray(given.value)) throw wrongShape(name, "a list of texts", given.value);
  const list: readonly Json[] = given.value;
  return list.map((item, index) => {
    const text = scalarText(item);
    if (text === undefined) throw wrongShape(`${name}[${index}]`, "a scalar", item);
    if (text.includes("\0")) throw configFailure(`${name}[${index}]: expected text without NUL`);
    return text;
  });
}

/** The step's own ones first; those that say which call this is can't be given another meaning. */
function variables(config: JsonObject, context: ToolContext): readonly Variable[] {
  const input = objectField(config, "input")?.value;
  const ours = {
    ...callEnvironment(context),
    NOETL_COMMAND_ID: context.commandId,
    ...(input === undefined ? {} : { NOETL_INPUT: JSON.stringify(input) }),
  };
  const byName = new Map<string, Variable>();
  for (const variable of stepVariables(config)) byName.set(variable.name, variable);
  for (const [name, value] of Object.entries(ours)) byName.set(name, { name, value });
  return [...byName.values()];
}

function stepVariables(config: JsonObject): readonly Variable[] {
  const given = field(config, "env");
  if (given === undefined) return [];
  if (Array.isArray(given.value)) {
    return (given.value as readonly Json[]).map((item, index) => listed(item, `env[${index}]`));
  }
  if (!isJsonObject(given.value)) throw wrongShape("env", "a map or a list", given.value);
  return Object.entries(given.value).flatMap(([name, value]) =>
    value === null ? [] : [variable(name, value, `env.${name}`)],
  );
}

function listed(item: Json, where: string): Variable {
  if (!isJsonObject(item)) throw wrongShape(where, "an object", item);
  const name = textField(item, "name")?.value ?? "";
  const from = objectField(item, "value_from")?.value;
  if (from === undefined) return variable(name, item.value ?? "", where);
  const secretName = textField(from, "secret_name")?.value;
  const secretKey = textField(from, "secret_key")?.value;
  if (secretName === undefined || secretKey === undefined) {
    throw configFailure(`${where}.value_from: expected secret_name and secret_key`);
  }
  return { name: checked(name, where), secretName, secretKey };
}

function variable(name: string, value: Json, where: string): Variable {
  const text = scalarText(value);
  if (text === undefined) throw wrongShape(where, "a scalar", value);
  if (text.includes("\0")) throw configFailure(`${where}: expected text without NUL`);
  return { name: checked(name, where), value: text };
}

function checked(name: string, where: string): string {
  if (variableName.test(name)) return name;
  throw configFailure(`${where}: expected the name of a variable like LOG_LEVEL`);
}
