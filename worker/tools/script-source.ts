// Where the text of a program comes from: `code` of the step, or `script` with an inline text, a
// file below a folder that the worker's operator named, or something that is fetched for the call.

import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { messageOf } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { scriptBytesMax } from "#core/model/limits";
import {
  configFailure,
  type Deadline,
  numberField,
  objectField,
  textField,
  withDeadline,
} from "./call-config.ts";
import { httpScript, objectScript } from "./script-fetch.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

const sourceKinds = "inline, file, http, s3, gcs";

/**
 * The program of a step: `code`, else `spec.code`, else `script` (language reference §2.2, §2.3).
 * Throws a `config` failure that names the field when there is none or it can't be read.
 */
export async function programText(config: JsonObject, context: ToolContext): Promise<string> {
  const code = textField(config, "code")?.value ?? specCode(config);
  if (code !== undefined) return bounded("code", code);
  const script = objectField(config, "script");
  if (script === undefined) throw configFailure("code: expected the text of a program, found none");
  return scriptText(script.value, context, config);
}

function specCode(config: JsonObject): string | undefined {
  const spec = objectField(config, "spec");
  return spec === undefined ? undefined : textField(spec.value, "code")?.value;
}

/**
 * The text of `script: {uri, source: {type: inline | file | http | s3 | gcs, …}}`. Without a type,
 * a script with `code` or `content` is inline, one with an endpoint comes from there, and one with
 * a `uri` from where its scheme says; without a scheme it is a file.
 * @param call the config whose `timeout` bounds a fetch too.
 */
export async function scriptText(
  script: JsonObject,
  context: ToolContext,
  call: JsonObject = {},
): Promise<string> {
  const { source: _source, type: _type, ...beside } = script;
  const source = objectField(script, "source")?.value ?? {};
  const place = { ...beside, ...source };
  const inline = textField(source, "code", "content") ?? textField(script, "code", "content");
  const type = textField(source, "type")?.value ?? textField(script, "type")?.value;
  const kind = type ?? (inline === undefined ? kindOfPlace(place) : "inline");
  const fetched = (fetch: (deadline: Deadline) => Promise<Uint8Array>): Promise<string> =>
    withDeadline(shorterOf(place, call), context, async (deadline) => utf8(await fetch(deadline)));
  switch (kind) {
    case "inline":
      if (inline !== undefined) return bounded(`script.${inline.name}`, inline.value);
      throw configFailure("script.source.code: expected the text of a program, found none");
    case "file":
      return fileText(
        textField(source, "path") ?? textField(script, "uri", "path"),
        context.policy,
      );
    case "http":
      return fetched((deadline) => httpScript({ place, context, deadline }));
    case "s3":
    case "gcs":
      return fetched((deadline) => objectScript(kind, { place, context, deadline }));
    default:
      throw configFailure(`script.source.type: expected one of ${sourceKinds}, found ${kind}`);
  }
}

function kindOfPlace(place: JsonObject): string {
  const uri = textField(place, "uri", "path")?.value ?? "";
  if (uri.startsWith("s3://")) return "s3";
  if (uri.startsWith("gs://")) return "gcs";
  if (/^https?:\/\//i.test(uri)) return "http";
  return uri === "" && textField(place, "endpoint", "url") !== undefined ? "http" : "file";
}

/** Of the timeouts of a script and of its call the one that ends first, if there is any. */
function shorterOf(...configs: readonly JsonObject[]): JsonObject {
  const seconds = configs.flatMap((config) => {
    const found = numberField(config, "timeout_seconds", "timeout");
    return found === undefined ? [] : [found.value];
  });
  return seconds.length === 0 ? {} : { timeout: Math.min(...seconds) };
}

async function fileText(
  uri: { readonly name: string; readonly value: string } | undefined,
  policy: ToolContext["policy"],
): Promise<string> {
  if (uri === undefined) throw configFailure("script.uri: expected the path of a file, found none");
  const path = await pathInRoots(uri.value.replace(/^file:\/\//, ""), policy.fileRoots);
  const { size } = await stat(path);
  // One that grows while it is read is cut off just behind the bound, and so still refused.
  const bytes = size > scriptBytesMax ? undefined : await firstBytes(path);
  const length = bytes?.length ?? size;
  if (bytes === undefined || length > scriptBytesMax) throw tooLong("script.uri", length);
  return utf8(bytes);
}

function firstBytes(path: string): Promise<Uint8Array> {
  return Bun.file(path)
    .slice(0, scriptBytesMax + 1)
    .bytes();
}

/** Text that was guessed at is another program than the one that was written. */
function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ToolFailure({
      kind: "script",
      code: "encoding",
      message: "the script is not UTF-8",
      retryable: false,
    });
  }
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
