// `noetl catalog versions|diff|search|delete|restore`: what became of a path, and what there is.

import { type Arguments, UsageError } from "./arguments.ts";
import { given, wholeNumber } from "./given.ts";
import { printed } from "./printed.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";

export async function listVersions(args: Arguments): Promise<number> {
  const [path = ""] = args.operands;
  const page = given({ before: wholeNumber(args, "before"), limit: wholeNumber(args, "limit") });
  const { client } = await neededServer(args);
  const answer = await client.catalogVersions({ query: { path, ...page } });
  return printed(args, answer, ({ versions, next_before: next }) => [
    ...tableLines(
      ["VERSION", "KIND", "REGISTERED", "DIGEST", "PUT AWAY"],
      versions.map((version) => [
        String(version.version),
        version.kind,
        version.created_at,
        version.digest.slice(0, 12),
        version.archived_at ?? "",
      ]),
    ),
    ...(next === null ? [] : [`more with --before ${next}`]),
  ]);
}

/** `catalog diff PATH [FROM] [TO]`. */
export async function diff(args: Arguments): Promise<number> {
  const [path = "", ...numbers] = args.operands;
  const [from, to] = numbers.map(versionOf);
  const { client } = await neededServer(args);
  const answer = await client.catalogDiff({ query: { path, ...given({ from, to }) } });
  return printed(args, answer, ({ same, text, note }) => {
    if (same) return [`${path}: versions ${answer.from} and ${answer.to} are the same`];
    return [...text.trimEnd().split("\n"), ...(note === undefined ? [] : [note])];
  });
}

function versionOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`expected a version, found ${JSON.stringify(text.slice(0, 80))}`);
}

export async function searchCatalog(args: Arguments): Promise<number> {
  const filter = given({
    kind: args.text("kind"),
    after: args.text("after"),
    limit: wholeNumber(args, "limit"),
  });
  const { client } = await neededServer(args);
  const answer = await client.searchCatalog({ query: { q: args.operands.join(" "), ...filter } });
  return printed(args, answer, ({ entries, next_after: next }) => [
    ...tableLines(
      ["PATH", "VERSION", "KIND"],
      entries.map(({ path, version, kind }) => [path, String(version), kind]),
    ),
    ...(next === null ? [] : [`more with --after ${next}`]),
  ]);
}

function placeOf(args: Arguments) {
  const [path = ""] = args.operands;
  return { path, ...given({ version: wholeNumber(args, "version") }) };
}

export async function archive(args: Arguments): Promise<number> {
  const body = placeOf(args);
  const { client } = await neededServer(args);
  return printed(args, await client.deleteCatalog({ body }), ({ message }) => [message]);
}

export async function restore(args: Arguments): Promise<number> {
  const body = placeOf(args);
  const { client } = await neededServer(args);
  return printed(args, await client.restoreCatalog({ body }), ({ message }) => [message]);
}
