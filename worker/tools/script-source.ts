// Where the text of a program comes from: `code` of the step, or `script` with an inline text or a
// file below a folder that the worker's operator named. Nothing is fetched from a network.

import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { messageOf } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { scriptBytesMax } from "#core/model/limits";
import { configFailure, objectField, textField } from "./call-config.ts";
import type { ToolContext } from "./tool.ts";

const sourceKinds = "inline, file";

/**
 * The program of a step: `code`, else `spec.code`, else `script` (language reference §2.2, §2.3).
 * Throws a `config` failure that names the field when there is none or it can't be read.
 */
export async function programText(config: JsonObject, context: ToolContext): Promise<string> {
  const code = textField(config, "code")?.value ?? specCode(config);
  if (code !== undefined) return bounded("code", code);
  const script = objectField(config, "script");
  if (script === undefined) throw configFailure("code: expected the text of a program, found none");
  return scriptText(script.value, context);
}

function specCode(config: JsonObject): string | undefined {
  const spec = objectField(config, "spec");
  return spec === undefined ? undefined : textField(spec.value, "code")?.value;
}

/**
 * The text of `script: {uri, source: {type: inline | file, code}}`. Without a type, a script with
 * `code` or `content` is inline and one with a `uri` is a file.
 */
export async function scriptText(script: JsonObject, context: ToolContext): Promise<string> {
  const source = objectField(script, "source")?.value ?? {};
  const inline = textField(source, "code", "content") ?? textField(script, "code", "content");
  const type = textField(source, "type")?.value ?? (inline === undefined ? "file" : "inline");
  switch (type) {
    case "inline":
      if (inline !== undefined) return bounded(`script.${inline.name}`, inline.value);
      throw configFailure("script.source.code: expected the text of a program, found none");
    case "file":
      return fileText(
        textField(source, "path") ?? textField(script, "uri", "path"),
        context.policy,
      );
    default:
      throw configFailure(`script.source.type: expected one of ${sourceKinds}, found ${type}`);
  }
}

async function fileText(
  uri: { readonly name: string; readonly value: string } | undefined,
  policy: ToolContext["policy"],
): Promise<string> {
  if (uri === undefined) throw configFailure("script.uri: expected the path of a file, found none");
  const path = await pathInRoots(uri.value.replace(/^file:\/\//, ""), policy.fileRoots);
  const { size } = await stat(path);
  if (size > scriptBytesMax) throw tooLong("script.uri", size);
  return Bun.file(path).text();
}

/**
 * The real path of a file that lies, links followed, within one of the roots. A relative path is
 * looked for in each root in turn.
 */
async function pathInRoots(path: string, roots: readonly string[]): Promise<string> {
  if (roots.length === 0) {
    throw configFailure("script.uri: files are not allowed on this worker: it has no file root");
  }
  let outside = false;
  for (const root of roots) {
    const real = await realPath(resolve(root, path));
    const realRoot = await realPath(root);
    if (real === undefined || realRoot === undefined) continue;
    const inside = relative(realRoot, real);
    const escapes = inside === "" || inside === ".." || inside.startsWith("../");
    if (!escapes && !isAbsolute(inside) && (await stat(real)).isFile()) return real;
    outside = true;
  }
  const found = outside ? "something outside of them or no regular file" : "no such file";
  throw configFailure(
    `script.uri: expected a file within this worker's file roots, found ${found}`,
  );
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (/ENOENT|ENOTDIR|EACCES|ELOOP|ENAMETOOLONG/.test(messageOf(error))) return undefined;
    throw error;
  }
}

function bounded(name: string, text: string): string {
  const size = Buffer.byteLength(text);
  if (size > scriptBytesMax) throw tooLong(name, size);
  return text;
}

function tooLong(name: string, size: number): Error {
  return configFailure(`${name}: expected at most ${scriptBytesMax} bytes, found ${size}`);
}
