// Retention beside those who write: a month that goes while executions of it are started, go on and
// end. No execution ever stands without its events, and nobody waits for a month.
import { beforeEach, expect, test } from "bun:test";
import type { LogMonth } from "#core/ports/log-retention";
import { days, idIn, makeMonth } from "#tests/contract/retention";
import { plainTail, rowOf, transition } from "#tests/contract/transitions";
import { type Session, stage } from "./sessions.ts";

const on = stage();
const months = 6;

interface Old {
  readonly month: LogMonth;
  /** Has ended, if it is there. */
  readonly id: ReturnType<typeof idIn>;
  readonly late: ReturnType<typeof idIn>;
  readonly head: { readonly seq: number; readonly digest: string };
}

type OldAct = "purge" | "drop" | "start" | "go on" | "repair" | "prepare";

const doings: Readonly<Record<OldAct, (session: Session, old: Old) => Promise<unknown>>> = {
  purge: ({ stores }, { month }) => stores.retention.purge(month, 10),
  drop: ({ stores }, { month }) => stores.retention.drop(month),
  start: ({ stores }, { late }) => stores.log.append([transition(late)]),
  "go on": ({ stores }, { id, head }) => stores.log.append([transition(id, { head })]),
  repair: ({ stores }, { id, head }) => {
    const row = rowOf(id, { status: "completed" });
    const { seq, digest } = head;
    return stores.repair.repair({ row, head: seq, digest, found: head, rows: [], leaseMs: 1 });
  },
  prepare: ({ stores }) => stores.retention.prepare(),
};

async function arrange({ sql, stores }: Session, isThere: boolean): Promise<Old> {
  await sql.query("truncate noetl.event, noetl.execution, noetl.command");
  const [stale] = await stores.retention.expired(days);
  if (stale !== undefined) await sql.query(`drop table noetl.${stale.name}`);
  await makeMonth(sql, months);
  const id = idIn(months);
  const [month] = await stores.retention.expired(days);
  if (month === undefined) throw new Error("expected a month to have expired");
  const begun = transition(id, { row: { status: "completed" }, tails: [plainTail, plainTail] });
  if (isThere) await stores.log.append([begun]);
  const head = { seq: 2, digest: begun.events.at(-1)?.digest ?? "" };
  return { month, id, late: idIn(months), head };
}

/** An execution's row and its events stand and fall together. */
const halves = ({ sql }: Session) =>
  sql.query(`select x.execution_id::text, x.head, count(e.seq)::integer as events
    from noetl.execution x left join noetl.event e on e.execution_id = x.execution_id
    group by x.execution_id having x.head <> count(e.seq)`);

/** The first is open while the second begins, then it commits or dies; what each said. */
async function met(
  [first, second]: readonly [OldAct, OldAct],
  { isThere, ending }: { readonly isThere: boolean; readonly ending: "commits" | "dies" },
): Promise<string> {
  const { a, b, watch, isWaiting } = on();
  const old = await arrange(watch, isThere);
  await a.begin();
  const one = await doings[first](a, old).catch(String);
  const other = doings[second](b, old).catch(String);
  // A drop gives up waiting by itself: until then nobody makes way for it.
  if (second === "drop") await other;
  else await isWaiting(b, other);
  await (ending === "commits" ? a.commit() : a.rollback());
  const said = `${one} | ${await other}`;
  // What an open drop was told of a month that stays is not a loss.
  expect(await halves(watch)).toEqual([]);
  return said;
}

interface Row {
  readonly pair: readonly [OldAct, OldAct];
  readonly isThere: boolean;
  readonly commits: string;
  readonly dies: string;
}

/** What each is told; the last two columns: when the first commits, when it dies. */
const table: readonly Row[] = [
  { pair: ["start", "drop"], isThere: false, commits: "accepted | busy", dies: "accepted | busy" },
  { pair: ["start", "purge"], isThere: true, commits: "accepted | 1", dies: "accepted | 1" },
  {
    pair: ["start", "start"],
    isThere: true,
    commits: "accepted | conflict",
    dies: "accepted | accepted",
  },
  { pair: ["go on", "purge"], isThere: true, commits: "accepted | 0", dies: "accepted | 0" },
  { pair: ["go on", "drop"], isThere: true, commits: "accepted | kept", dies: "accepted | kept" },
  { pair: ["repair", "purge"], isThere: true, commits: "repaired | 0", dies: "repaired | 0" },
  { pair: ["purge", "drop"], isThere: true, commits: "1 | kept", dies: "1 | kept" },
  { pair: ["purge", "purge"], isThere: true, commits: "1 | 0", dies: "1 | 0" },
  { pair: ["purge", "start"], isThere: true, commits: "1 | accepted", dies: "1 | accepted" },
  { pair: ["purge", "go on"], isThere: true, commits: "1 | conflict", dies: "1 | accepted" },
  { pair: ["purge", "repair"], isThere: true, commits: "1 | moved", dies: "1 | repaired" },
  {
    pair: ["drop", "start"],
    isThere: false,
    commits: "dropped | accepted",
    dies: "dropped | accepted",
  },
  { pair: ["drop", "drop"], isThere: false, commits: "dropped | busy", dies: "dropped | busy" },
  { pair: ["drop", "purge"], isThere: false, commits: "dropped | 0", dies: "dropped | 0" },
  { pair: ["drop", "prepare"], isThere: false, commits: "dropped | 0", dies: "dropped | 0" },
  { pair: ["prepare", "drop"], isThere: false, commits: "0 | dropped", dies: "0 | dropped" },
];

beforeEach(async () => {
  await on().watch.stores.retention.prepare();
});

for (const { pair, isThere, commits, dies } of table) {
  test(`${pair[0]} is open while ${pair[1]} comes`, async () => {
    expect(await met(pair, { isThere, ending: "commits" })).toBe(commits);
    expect(await met(pair, { isThere, ending: "dies" })).toBe(dies);
  });
}
