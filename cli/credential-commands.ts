// `noetl credential`: sealed credentials of a control plane. What is secret is read from a file,
// from standard input or typed without being shown, never from the command line; it is printed only
// where it is asked for by name.

import { isJsonObject, type JsonObject } from "#core/model/json";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { given, wholeNumber } from "./given.ts";
import { fieldLines, printed } from "./printed.ts";
import { isConfirmed, readSecret, standardInput } from "./secret-input.ts";
import { neededServer, type Server } from "./server.ts";
import { tableLines } from "./table.ts";
import { readText } from "./text-file.ts";

/** `credential add NAME --type T (--file F | --stdin | --field NAME…)`. */
export async function addCredential(args: Arguments): Promise<number> {
  const [name = ""] = args.operands;
  const type = args.text("type");
  const document = await documentOf(args);
  const server = await neededServer(args);
  return put(args, server, { name, ...given({ type }), ...document });
}

interface CredentialDocument {
  readonly type?: string;
  readonly data: JsonObject;
  readonly meta?: JsonObject;
  readonly tags?: readonly string[];
  readonly description?: string;
}

/** The fields, by whichever way they come; a file may have the whole credential. */
async function documentOf(args: Arguments): Promise<CredentialDocument> {
  const description = args.text("description");
  const tags = args.list("tag");
  const told = { ...given({ description }), ...(tags.length === 0 ? {} : { tags }) };
  const file = args.text("file");
  const fields = args.list("field");
  const ways = [file !== undefined, args.has("stdin"), fields.length > 0].filter(Boolean).length;
  if (ways !== 1) throw new UsageError("expected one of --file FILE, --stdin and --field NAME");
  if (fields.length > 0) return { ...told, data: await typedFields(fields) };
  const text = file === undefined ? await standardInput() : await fileText(file);
  return { ...asDocument(documentIn(text, file ?? "standard input")), ...told };
}

async function typedFields(fields: readonly string[]): Promise<JsonObject> {
  if (process.stdin.isTTY !== true && fields.length > 1) {
    throw new UsageError("--field: several are typed at a terminal; expected --stdin with JSON");
  }
  const data: Record<string, string> = {};
  for (const field of fields) {
    if (field.includes("=")) throw new UsageError("--field: expected a name; its value is typed");
    data[field] = await readSecret(`${field}: `);
  }
  return data;
}

async function fileText(file: string): Promise<string> {
  const read = await readText(file);
  if ("text" in read) return read.text;
  throw new UsageError(`${file}: ${read.unreadable}`);
}

/** JSON or YAML; what a parser says of text that is neither would quote it. */
function documentIn(text: string, what: string): JsonObject {
  try {
    const value: unknown = Bun.YAML.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    throw new UsageError(`${what}: expected JSON or YAML`);
  }
  throw new UsageError(`${what}: expected a map`);
}

/** A map with `data` in it is a credential, another one its fields. */
function asDocument(value: JsonObject): CredentialDocument {
  const { data, type, credential_type: older, meta, tags, description } = value;
  if (!isJsonObject(data)) return { data: value };
  const named = typeof type === "string" ? type : older;
  return {
    data,
    ...(typeof named === "string" ? { type: named } : {}),
    ...(isJsonObject(meta) ? { meta } : {}),
    ...(Array.isArray(tags) ? { tags: tags.map(String) } : {}),
    ...(typeof description === "string" ? { description } : {}),
  };
}

async function put(
  args: Arguments,
  { client }: Server,
  { tags, ...document }: CredentialDocument & { readonly name: string },
): Promise<number> {
  const body = { ...document, ...(tags === undefined ? {} : { tags: [...tags] }) };
  const answer = await client.putCredential({ body });
  return printed(args, answer, ({ name, type, created, revision }) => [
    `${name}: ${type}, ${created ? "stored" : `replaced, revision ${revision}`}`,
  ]);
}

/** `register credential FILE… | -d DIR`: files that hold whole credentials, with their names. */
export async function registerCredentials(
  args: Arguments,
  files: readonly string[],
): Promise<number> {
  const server = await neededServer(args);
  for (const file of files) {
    const document = documentIn(await fileText(file), file);
    const { name } = document;
    if (typeof name !== "string")
      throw new UsageError(`${file}: expected a credential with a name`);
    await put(args, server, { name, ...asDocument(document) });
  }
  return exitOk;
}

export async function listCredentials(args: Arguments): Promise<number> {
  const limit = wholeNumber(args, "limit");
  const query = given({
    type: args.text("type"),
    q: args.text("query"),
    limit,
    after: args.text("after"),
  });
  const { client } = await neededServer(args);
  return printed(args, await client.listCredentials({ query }), ({ items, next_after: next }) => [
    ...tableLines(
      ["NAME", "TYPE", "TAGS", "KEY", "CHANGED", "DESCRIPTION"],
      items.map((item) => [
        item.name,
        item.type,
        item.tags.join(","),
        item.key_id,
        item.updated_at,
        item.description ?? "",
      ]),
    ),
    ...(next === null ? [] : [`more with --after ${next}`]),
  ]);
}

/** `credential get NAME [--include-data]`: a look at what is secret is asked about and audited. */
export async function getCredential(args: Arguments): Promise<number> {
  const [ref = ""] = args.operands;
  const wantsData = args.has("include-data");
  if (wantsData && process.stdout.isTTY === true && !args.has("yes")) {
    const isWanted = await isConfirmed(`show what is secret of ${ref} on this terminal?`);
    if (!isWanted) throw new UsageError("not shown: expected yes, or --yes");
  }
  const { client } = await neededServer(args);
  const query = wantsData ? ({ include_data: "true" } as const) : {};
  const answer = await client.getCredential({ params: { ref }, query });
  return printed(args, answer, fieldLines);
}

export async function deleteCredential(args: Arguments): Promise<number> {
  const [ref = ""] = args.operands;
  const { client } = await neededServer(args);
  const answer = await client.deleteCredential({ params: { ref }, query: {} });
  return printed(args, answer, ({ name }) => [`${name}: deleted`]);
}

/** Seals anew what older master keys have sealed. */
export async function rotateCredentials(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const answer = await client.rotateCredentials();
  printed(args, answer, ({ current, resealed, left }) => [
    `${resealed} sealed anew by key ${current}, ${left} left`,
  ]);
  return answer.left === 0 ? exitOk : exitFailed;
}

export async function credentialKeys(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  return printed(args, await client.credentialKeys(), ({ current, counts }) =>
    tableLines(
      ["KEY", "CREDENTIALS", ""],
      Object.entries(counts).map(([key, count]) => [
        key,
        String(count),
        key === current ? "seals" : "",
      ]),
    ),
  );
}
