// A process of its own for tests that end processes: does one thing with a data directory, says
// each fact on a line of standard output, and stays until it is told to end or killed.
import { lockDataDirectory } from "#control/store/data-directory";
import { sqlEventLog } from "#control/store/event-log";
import { migrate } from "#control/store/migrate";
import { openPglite } from "#control/store/pglite";
import { prepareDataDirectory } from "#control/store/prepared";
import { genesisDigest } from "#core/model/codec";
import { executionId } from "#core/model/ids";
import { transition } from "#tests/contract/transitions";

const say = (fact: string): void => {
  process.stdout.write(`${fact}\n`);
};

const works: Readonly<Record<string, (place: string, rest: readonly string[]) => Promise<void>>> = {
  /** Locks the directory and keeps it. */
  lock: async (directory) => {
    try {
      lockDataDirectory(directory);
      say("locked");
    } catch (error) {
      say(`refused ${error instanceof Error ? error.message : String(error)}`);
    }
    setInterval(() => {}, 60_000);
  },

  /** Appends to one execution as fast as it can, saying each acknowledged head. */
  append: async (directory, [prepared, id]) => {
    const sql = await openPglite(directory, prepared === undefined ? {} : { prepared });
    await migrate(sql);
    const log = sqlEventLog(sql);
    const execution = executionId(id ?? "");
    const known = await log.head(execution);
    let head = { seq: known?.seq ?? 0, digest: known?.digest ?? genesisDigest };
    for (;;) {
      const next = transition(execution, { head, tails: ['"name":"a"', '"name":"b"'] });
      const [verdict] = await log.append([next]);
      if (verdict !== "accepted") throw new Error(`append on ${head.seq} was a ${verdict}`);
      head = { seq: head.seq + 2, digest: next.events[1]?.digest ?? "" };
      say(`${head.seq}`);
    }
  },

  prepare: async (cacheDirectory) => {
    await prepareDataDirectory(cacheDirectory);
    say("prepared");
  },

  /** Opens a fresh directory without a prepared one. */
  fresh: async (directory) => {
    const sql = await openPglite(directory);
    await migrate(sql);
    const [row] = await sql.query<{ answer: string }>("select 6 * 7 || '' as answer");
    await sql.close();
    say(row?.answer ?? "nothing");
  },
};

if (import.meta.main) {
  const [work = "", place = "", ...rest] = process.argv.slice(2);
  await works[work]?.(place, rest);
}
