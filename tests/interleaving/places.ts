// Commands under a rule: what each operation says and does to so many places, and what must hold of
// the places whatever met.
import type { Transition } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { claim, expire, leaseMs, terms } from "#tests/contract/rows";
import { command, newExecution, transition } from "#tests/contract/transitions";
import { arrange, holder, type Part, says } from "./scene.ts";
import type { Session } from "./sessions.ts";

export const key = "tool:python";
const under = { terms: terms({ tool: "python" }) };

/** Numbers of commands under the rule, and its maximum; undefined without a rule. */
export interface Places {
  readonly ready: number;
  readonly leased: number;
  readonly expired: number;
  readonly most: number | undefined;
}

export const placeActs = [
  ...(["claim", "hand-over", "settle", "reissue", "release", "sweep"] as const),
  ...(["put 1", "put 3", "delete"] as const),
] as const;
export type PlaceAct = (typeof placeActs)[number];

/** The lease that settles, releases and sweeps are about is there once. */
export interface Situation extends Places {
  readonly isHeld: boolean;
  readonly head: number;
}

/** One is leased, its time is over; two are ready. */
export const start = (most: number | undefined): Situation => ({
  ...{ ready: 2, leased: 1, expired: 0, most },
  ...{ isHeld: true, head: 1 },
});

/** The act alone; a claim wants one, and a hand-over is of a new command. */
export function placesAfter(act: PlaceAct, at: Situation): readonly [string, Situation] {
  const { ready, leased, expired, most, isHeld, head } = at;
  switch (act) {
    case "claim":
      if (ready === 0 || leased >= (most ?? Number.POSITIVE_INFINITY)) return ["0", at];
      return ["1", { ...at, ready: ready - 1, leased: leased + 1 }];
    case "hand-over":
      if (most !== undefined) return ["withheld", { ...at, ready: ready + 1 }];
      return ["accepted", { ...at, leased: leased + 1 }];
    case "settle":
    case "reissue": {
      if (head !== 1) return ["conflict", at];
      const left = isHeld ? { leased: leased - 1 } : { expired: 0, ready: ready - (1 - expired) };
      const next = { ...at, ...left, isHeld: false, head: 2 };
      return ["accepted", act === "settle" ? next : { ...next, ready: next.ready + 1 }];
    }
    case "release":
      if (!isHeld) return ["", at];
      return ["", { ...at, ready: ready + 1, leased: leased - 1, isHeld: false }];
    case "sweep":
      if (!isHeld) return ["0", at];
      return ["1", { ...at, expired: 1, leased: leased - 1, isHeld: false }];
    case "put 1":
      return ["", { ...at, most: 1 }];
    case "put 3":
      return ["", { ...at, most: 3 }];
    case "delete":
      return [String(most !== undefined), { ...at, most: undefined }];
    default:
      return act satisfies never;
  }
}

const ending = (part: Part, act: "settle" | "reissue"): Transition => {
  const { executionId, row, head } = part;
  if (act === "settle") {
    const tails = [says("settled", row)];
    return transition(executionId, { head, settled: [row.commandId], tails });
  }
  const next = command(executionId, "one", { ...under, attempt: 2 });
  return transition(executionId, { head, issued: [next], tails: [says("issued", next)] });
};

export async function doPlaces(
  act: PlaceAct,
  { log }: Stores,
  part: Part,
  worker: string,
): Promise<string> {
  const { commandId } = part;
  switch (act) {
    case "claim":
      return String((await claim(log, 1, { worker })).length);
    case "hand-over": {
      const id = newExecution();
      const row = command(id, "one", { ...under, lease: { worker, leaseMs } });
      const issued = { issued: [row], tails: [says("issued", row)] };
      return (await log.append([transition(id, issued)])).join();
    }
    case "settle":
    case "reissue":
      return (await log.append([ending(part, act)])).join();
    case "release":
      await log.release(holder, [{ commandId, attempt: 1 }]);
      return "";
    case "sweep":
      return String((await expire(log, 9, 60_000)).length);
    case "put 1":
    case "put 3":
      await log.putRule({ key, maxRunning: Number(act.at(-1)) });
      return "";
    case "delete":
      return String(await log.deleteRule(key));
    default:
      return act satisfies never;
  }
}

/** The one that is leased, beside two that are ready. */
export async function arrangePlaces(watch: Session, most: number | undefined): Promise<Part> {
  await watch.sql.query("delete from noetl.command");
  await watch.sql.query("delete from noetl.rule");
  const { log } = watch.stores;
  if (most !== undefined) await log.putRule({ key, maxRunning: most });
  const [part] = await arrange(watch.stores, "late", 1, under);
  await arrange(watch.stores, "ready", 2, under);
  if (part === undefined) throw new Error("expected a command");
  return part;
}

const placesSql = `select count(*) filter (where c.status = 'ready')::integer as ready,
  count(*) filter (where c.status = 'leased')::integer as leased,
  count(*) filter (where c.status = 'expired')::integer as expired,
  (select r.max_running from noetl.rule r) as most,
  count(*) filter (where c.status = 'leased' and (select count(*) from noetl.slot s
    where s.command_id = c.command_id) <> 1)::integer as unplaced,
  (select count(*) from noetl.slot s where s.n <= (select r.max_running from noetl.rule r)
    )::integer as slots
from noetl.command c`;

export interface Counted {
  readonly places: Places;
  /** What must never be. */
  readonly faults: readonly string[];
}

/** Every lease under a rule has one place, and a rule as many places as it says. */
export async function countPlaces({ sql }: Session): Promise<Counted> {
  type Found = Omit<Places, "most"> & { most: number | null; unplaced: number; slots: number };
  const [found] = await sql.query<Found>(placesSql);
  if (found === undefined) throw new Error("expected a count");
  const { ready, leased, expired, most, unplaced, slots } = found;
  const faults: string[] = [];
  if (most !== null && unplaced > 0) faults.push(`${unplaced} leases without a place of their own`);
  if (slots !== (most ?? 0)) faults.push(`${slots} places of ${most}`);
  return { places: { ready, leased, expired, most: most ?? undefined }, faults };
}
