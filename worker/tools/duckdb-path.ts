// Decides which file a tool may open for a playbook: only one that lies, links resolved, within the
// folders that the worker's operator named.

import { realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";

import { ToolFailure } from "./tool.ts";

function forbidden(message: string): ToolFailure {
  return new ToolFailure({ kind: "forbidden", message, retryable: false });
}

async function realOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    return undefined;
  }
}

/** The path with every link resolved, as far as it exists; the rest is kept as written. */
async function resolved(path: string): Promise<string> {
  const real = await realOrUndefined(path);
  if (real !== undefined) return real;
  const parent = dirname(path);
  return parent === path ? path : join(await resolved(parent), relative(parent, path));
}

/** The roots that exist, links resolved: what DuckDB is told to stay within. */
export async function realRoots(fileRoots: readonly string[]): Promise<readonly string[]> {
  const roots = await Promise.all(fileRoots.map(realOrUndefined));
  return roots.flatMap((root) => (root === undefined ? [] : [root]));
}

/** The real path of a database file; relative ones start at the first root. */
export function databasePath(path: string, fileRoots: readonly string[]): Promise<string> {
  return pathInRoots("database", path, fileRoots);
}

/** The real path of the file that a field names; relative ones start at the first root. */
export async function pathInRoots(
  name: string,
  path: string,
  fileRoots: readonly string[],
): Promise<string> {
  const roots = await realRoots(fileRoots);
  const [first] = roots;
  if (first === undefined) {
    throw forbidden(`${name}: files are not allowed on this worker, which has no file roots`);
  }
  const real = await resolved(resolve(first, path));
  if (!roots.some((root) => real.startsWith(root.endsWith(sep) ? root : root + sep))) {
    throw forbidden(`${name}: expected a file within the worker's file roots`);
  }
  return real;
}
