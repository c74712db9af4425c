// Files of the worker as objects: within its roots and nowhere else, and never half written.

import { randomUUID } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

import { messageOf } from "#core/model/fault";
import { configFailure } from "./call-config.ts";
import { pathInRoots } from "./duckdb-path.ts";
import type {
  Content,
  ListOptions,
  ObjectList,
  ObjectStore,
  StoredObject,
} from "./object-store.ts";
import { ToolFailure } from "./tool.ts";

/** A store of the files within these folders; relative paths start at the first. */
export function fileStore(fileRoots: readonly string[]): ObjectStore {
  const pathOf = (uri: string): Promise<string> =>
    pathInRoots("uri", uri.replace(/^file:\/\//, ""), fileRoots);
  const head = async (uri: string): Promise<StoredObject> => {
    const found = await stat(await pathOf(uri));
    if (found.isDirectory()) throw configFailure(`uri: expected a file, found the folder ${uri}`);
    return { uri, size: found.size, modified: found.mtime.toISOString() };
  };
  const put = async (uri: string, content: Content): Promise<StoredObject> => {
    const path = await pathOf(uri);
    const partial = `${path}.${randomUUID()}.partial`;
    try {
      await mkdir(dirname(path), { recursive: true });
      if (content.kind === "bytes") await writeFile(partial, content.bytes);
      else await copyFile(content.path, partial);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
    return head(uri);
  };
  return {
    head,
    put,
    get: async (uri) => readFile(await pathOf(uri)),
    list: async (uri, options) => listed(uri, await pathOf(uri), options),
    delete: async (uri) => rm(await pathOf(uri)),
    copy: async (from, to) => put(to, { kind: "file", path: await pathOf(from) }),
    failure: fileStoreFailure,
  };
}

async function listed(uri: string, folder: string, options: ListOptions): Promise<ObjectList> {
  const { prefix, delimiter, limit, startAfter = "" } = options;
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .filter((name) => name.startsWith(prefix));
  const ending = delimiter === undefined ? undefined : delimiter;
  const folded = names.map((name) => {
    const end = ending === undefined ? -1 : name.indexOf(ending, prefix.length);
    return end === -1
      ? { name, isFolder: false }
      : { name: name.slice(0, end + 1), isFolder: true };
  });
  const unique = [...new Map(folded.map((entry) => [entry.name, entry])).values()]
    .filter(({ name }) => name > startAfter)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const shown = unique.slice(0, limit);
  const base = uri.replace(/\/$/, "");
  const objects = await Promise.all(
    shown
      .filter(({ isFolder }) => !isFolder)
      .map(async ({ name }) => {
        const { size, mtime } = await stat(join(folder, name));
        return { uri: `${base}/${name}`, size, modified: mtime.toISOString() };
      }),
  );
  return {
    objects,
    prefixes: shown.filter(({ isFolder }) => isFolder).map(({ name }) => name),
    next: unique.length > limit ? shown.at(-1)?.name : undefined,
  };
}

function fileStoreFailure(error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error;
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  // The system's own message holds the worker's paths.
  const message = typeof code === "string" ? `the file cannot be used: ${code}` : messageOf(error);
  return new ToolFailure({
    kind: "file",
    message,
    retryable: code === "EMFILE" || code === "ENOSPC",
    ...(typeof code === "string" ? { code } : {}),
  });
}
