// `noetl migrate FILE… [--check | --write] [--json]`: rewrites playbooks of older forms. Without
// flags the new text goes to standard output; what was changed and what is left to do is told on
// standard error, as `file:line:column: message`.

import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "#core/model/fault";
import { type Migration, migratePlaybook } from "#core/playbook/migrate";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import { readText } from "./text-file.ts";

interface Migrated {
  readonly file: string;
  /** Why nothing is known of the file, or why it was not written. */
  readonly failure?: string;
  readonly migration?: Migration;
  readonly changed: boolean;
}

/**
 * Rewrites the playbooks in the files named.
 * @returns 0; 1 with `--check` where a file would change or something is left to do; 2 where a file
 *   can't be read, can't be written or is not YAML.
 */
export async function migrate(args: Arguments): Promise<number> {
  const check = args.has("check");
  const write = args.has("write");
  if (check && write) throw new UsageError("--check and --write, expected one of them");
  if (write && args.operands.includes("-")) {
    throw new UsageError("--write with standard input, expected files");
  }
  const results: Migrated[] = [];
  for (const file of args.operands) results.push(await migrated(file, write));
  if (args.has("json")) console.log(JSON.stringify({ files: results.map(reported) }, null, 2));
  else show(results, { check, write });
  if (results.some(({ failure }) => failure !== undefined)) return exitUsage;
  return check && results.some(isLeft) ? exitFailed : exitOk;
}

async function migrated(file: string, write: boolean): Promise<Migrated> {
  const read = await readText(file);
  if ("unreadable" in read) return { file, failure: read.unreadable, changed: false };
  const migration = migratePlaybook(read.text);
  const changed = migration.text !== read.text;
  if (!migration.readable) {
    return { file, failure: "not a playbook that can be read", migration, changed: false };
  }
  if (!write || !changed) return { file, migration, changed };
  try {
    await replaceFile(file, migration.text);
    return { file, migration, changed };
  } catch (thrown) {
    return { file, failure: `can't be written: ${messageOf(thrown)}`, migration, changed: false };
  }
}

/** The new text stands under the name at once, or not at all; a link goes on pointing at it. */
async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file);
  const { mode } = await stat(target);
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    await writeFile(beside, text, { flag: "wx" });
    await chmod(beside, mode);
    await rename(beside, target);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}

function isLeft({ changed, migration }: Migrated): boolean {
  return changed || (migration?.unresolved.length ?? 0) > 0;
}

function reported({ file, failure, migration, changed }: Migrated): object {
  const { changes = [], unresolved = [], otherKind } = migration ?? {};
  return {
    file,
    changed,
    changes,
    unresolved,
    ...(failure === undefined ? {} : { failure }),
    ...(otherKind === undefined ? {} : { kind: otherKind }),
  };
}

interface Showing {
  readonly check: boolean;
  readonly write: boolean;
}

function show(results: readonly Migrated[], { check, write }: Showing): void {
  for (const { file, failure, migration } of results) {
    if (failure !== undefined) console.error(`${file}:1:1: ${failure}`);
    const { changes = [], unresolved = [], otherKind } = migration ?? {};
    if (otherKind !== undefined) console.error(`${file}: ${otherKind}, no playbook: left as it is`);
    for (const { line, column, message } of changes) {
      console.error(`${file}:${line}:${column}: ${message}`);
    }
    for (const { line, column, message } of unresolved) {
      console.error(`${file}:${line}:${column}: left to do: ${message}`);
    }
    if (check || write || migration?.readable !== true) continue;
    const head = results.length > 1 ? `--- ${file}\n` : "";
    process.stdout.write(head + migration.text);
  }
}
