// What holds after any interleaving, read from the tables as they stand and compared with what the
// log says. The log is folded here anew, so that nothing of the product judges itself.
import { chainDigest, genesisDigest } from "#core/model/codec";
import type { ExecutionId } from "#core/model/ids";
import { sha256 } from "#tests/contract/transitions";
import type { Shape, Standing } from "./model.ts";
import { holder, type Part } from "./scene.ts";
import type { Session } from "./sessions.ts";

interface StoredRow {
  readonly id: string;
  readonly kind: string;
  readonly attempt: number;
  readonly status: string;
  readonly worker: string | null;
  readonly handed: boolean;
  readonly ends: boolean;
  readonly late: boolean;
  readonly held: boolean;
}

interface StoredEvent {
  readonly seq: number;
  readonly text: string;
  readonly digest: string;
}

interface Stored {
  readonly head: number | null;
  readonly digest: string | null;
  readonly status: string | null;
  readonly rows: readonly StoredRow[];
  readonly events: readonly StoredEvent[];
}

const storedSql = `select x.head, encode(x.digest, 'hex') as digest, x.status,
  (select coalesce(json_agg(json_build_object('id', c.command_id, 'kind', c.kind,
    'attempt', c.attempt, 'status', c.status, 'worker', c.worker, 'handed', c.handed,
    'ends', c.lease_until is not null, 'late', coalesce(c.lease_until <= now(), false),
    'held', c.held_until > now())), '[]')::text from noetl.command c
    where c.execution_id = i.id) as rows,
  (select coalesce(json_agg(json_build_object('seq', e.seq, 'text', e.payload::text,
    'digest', encode(e.digest, 'hex')) order by e.seq), '[]')::text from noetl.event e
    where e.execution_id = i.id) as events
from (select $1::text::bigint as id) i left join noetl.execution x on x.execution_id = i.id`;

type StoredRecord = Omit<Stored, "rows" | "events"> & { readonly rows: string; events: string };

async function stored({ sql }: Session, id: ExecutionId): Promise<Stored> {
  const [record] = await sql.query<StoredRecord>(storedSql, [id]);
  if (record === undefined) throw new Error(`nothing was found of execution ${id}`);
  return { ...record, rows: JSON.parse(record.rows), events: JSON.parse(record.events) };
}

function shapeOf(row: StoredRow | undefined): Shape {
  if (row === undefined) return "none";
  if (row.kind === "timer") return row.held ? "held" : "timer";
  if (row.status === "ready" || row.status === "expired") return row.status;
  if (row.worker !== holder) return "taken";
  if (row.handed) return row.late ? "unheard" : "handed";
  if (!row.late) return "leased";
  return row.attempt > 1 ? "again" : "late";
}

interface Folded {
  readonly open: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

interface Said {
  readonly name: string;
  readonly data: { readonly command_id: string; readonly attempt: number };
}

/** The log alone: what is open, and whether it is a log that may be. */
function folded(events: readonly StoredEvent[]): Folded {
  const open = new Map<string, number>();
  const outcomes = new Set<string>();
  const faults: string[] = [];
  let digest = genesisDigest;
  let hasEnded = false;
  for (const [index, event] of events.entries()) {
    const { name, data } = JSON.parse(event.text) as Said;
    const id = data.command_id;
    digest = chainDigest(digest, event.text, sha256);
    if (event.seq !== index + 1) faults.push(`event ${index + 1} has seq ${event.seq}`);
    if (event.digest !== digest) faults.push(`the chain breaks at ${event.seq}`);
    if (hasEnded) faults.push(`${name} follows the end`);
    if (name === "settled" && outcomes.has(id)) faults.push(`${id} has two outcomes`);
    if (name === "issued" && data.attempt < (open.get(id) ?? 1)) faults.push("an attempt shrank");
    if (name === "issued") open.set(id, data.attempt);
    else open.delete(id);
    if (name === "settled") outcomes.add(id);
    hasEnded ||= name === "cancelled";
  }
  return { open, faults };
}

function rowFaults(row: StoredRow, open: ReadonlyMap<string, number>): readonly string[] {
  const isLeased = row.status === "leased";
  const faults: string[] = [];
  if (open.get(row.id) !== row.attempt) faults.push(`the row is at attempt ${row.attempt}`);
  if (isLeased && (row.worker === null || !row.ends)) faults.push("a lease without end or worker");
  if (row.status === "ready" && row.worker !== null) faults.push("a ready row has a worker");
  if (row.handed && !isLeased) faults.push("a hand-over is not leased");
  return faults;
}

export interface Look {
  readonly standing: Standing;
  readonly worker: string | undefined;
  /** What must never be; empty when all is well. */
  readonly faults: readonly string[];
}

/** How a command stands, and what is wrong with its execution. */
export async function look(watch: Session, part: Part): Promise<Look> {
  const { head, digest, rows, events } = await stored(watch, part.executionId);
  const { open, faults } = folded(events);
  const row = rows.find(({ id }) => id === part.commandId);
  const wrong = [...faults, ...rows.flatMap((each) => rowFaults(each, open))];
  if (head !== events.length) wrong.push(`head ${head} of ${events.length} events`);
  if (digest !== (events.at(-1)?.digest ?? null)) wrong.push("the head has another digest");
  for (const id of open.keys()) {
    if (!rows.some((each) => each.id === id)) wrong.push(`open without a row: ${id}`);
  }
  const standing = { shape: shapeOf(row), attempt: row?.attempt ?? 1, head: head ?? 0 };
  return { standing, worker: row?.worker ?? undefined, faults: wrong };
}
