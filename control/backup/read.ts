// Reads a backup from its head to its end, and checks every line against what the writer counted.

import { Fault } from "#core/model/fault";
import { backupLines } from "./file.ts";
import { type BackupHead, type BackupLine, BackupTally, readHead, readLine } from "./format.ts";

export interface CheckedBackup {
  readonly head: BackupHead;
  readonly rows: number;
  readonly tables: Readonly<Record<string, number>>;
  readonly sha256: string;
}

export type BackupRow = Extract<BackupLine, { readonly kind: "row" }>;

/**
 * The rows of a backup in the order of the file, after its head.
 * @throws Fault `invalid` for a file that is no whole backup, with how far it goes.
 */
export async function* backupRows(
  file: string,
  onHead: (head: BackupHead) => void,
): AsyncGenerator<BackupRow, CheckedBackup> {
  const lines = backupLines(file);
  try {
    return yield* checkedRows(file, lines, onHead);
  } finally {
    // A file that is no backup is not read to its end, and is closed all the same.
    await lines.return(undefined);
  }
}

async function* checkedRows(
  file: string,
  lines: AsyncGenerator<string>,
  onHead: (head: BackupHead) => void,
): AsyncGenerator<BackupRow, CheckedBackup> {
  const first = await lines.next();
  const head = readHead(first.done === true ? undefined : first.value);
  onHead(head);
  const tally = new BackupTally();
  tally.other(first.value ?? "");
  const expected = head.tables.map(({ name }) => name);
  const tables: Record<string, number> = {};
  for await (const line of lines) {
    const read = readLine(line);
    if (read.kind === "end") {
      const end = tally.end();
      if (end.sha256 !== read.sha256 || end.rows !== read.rows) throw otherwise("its end");
      if (expected.length > 0) throw otherwise(`table ${expected[0]}`);
      if ((await lines.next()).done !== true) throw otherwise("its end");
      return { head, tables, ...end };
    }
    if (read.table !== expected[0]) throw otherwise(`table ${expected[0] ?? read.table}`);
    if (read.kind === "row") {
      tally.row(line);
      yield read;
      continue;
    }
    const closed = tally.closeTable();
    if (closed.sha256 !== read.sha256 || closed.rows !== read.rows) {
      throw otherwise(`table ${read.table}`);
    }
    tally.other(line);
    tables[read.table] = closed.rows;
    expected.shift();
  }
  const where = expected[0] === undefined ? "before its end" : `in table ${expected[0]}`;
  throw new Fault("invalid", `${file} was cut off ${where}: there is no end, so it is no backup`);
}

function otherwise(where: string): Fault {
  return new Fault("invalid", `the backup is damaged: ${where} is not as it was written`);
}

/** Reads the whole file and keeps nothing. @throws Fault `invalid` like `backupRows`. */
export async function checkBackup(file: string): Promise<CheckedBackup> {
  const rows = backupRows(file, () => {});
  for (;;) {
    const next = await rows.next();
    if (next.done === true) return next.value;
  }
}
