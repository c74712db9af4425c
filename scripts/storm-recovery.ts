// How long executions that a fault hit take until they go on: watched in the database, since the time
// in an event says when it was decided, and not when the decision could be stored.

import type { Sql } from "#control/store/sql";
import type { FaultKind } from "./storm-schedule.ts";

/** An execution with an open command, and the last event it had. */
export interface HitExecution {
  readonly id: string;
  readonly head: number;
}

export interface WatchedFault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly hit: readonly HitExecution[];
}

export interface RecoverySample {
  readonly kind: FaultKind;
  /** From the fault to the first step that the execution completed after it. */
  readonly ms: number;
}

export interface RecoveryWatch {
  add(fault: WatchedFault): void;
  readonly samples: readonly RecoverySample[];
  stop(): Promise<void>;
}

const lookMs = 100;
const looksSql = `
select distinct w.place from json_to_recordset($1::text::json)
  as w(place integer, id bigint, head integer)
join noetl.event e on e.execution_id = w.id and e.seq > w.head and e.type = 'step.exit'`;

interface Watched {
  readonly fault: WatchedFault;
  readonly execution: HitExecution;
}

export function recoveryWatch(sql: Sql): RecoveryWatch {
  const samples: RecoverySample[] = [];
  const ending = new AbortController();
  let watched: readonly Watched[] = [];

  const look = async (): Promise<void> => {
    const asked = watched;
    if (asked.length === 0) return;
    const places = asked.map(({ execution }, place) => ({ place, ...execution }));
    const rows = await sql.query<{ place: number }>(looksSql, [JSON.stringify(places)]);
    const nowMs = Date.now();
    const gone = new Set(rows.flatMap(({ place }) => asked[place] ?? []));
    for (const { fault } of gone) samples.push({ kind: fault.kind, ms: nowMs - fault.atMs });
    watched = watched.filter((one) => !gone.has(one));
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      // While the database is away nothing can have gone on.
      await look().catch(() => {});
      await Bun.sleep(lookMs);
    }
  };
  const running = run();
  return {
    samples,
    add: (fault) => {
      watched = [...watched, ...fault.hit.map((execution) => ({ fault, execution }))];
    },
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}
