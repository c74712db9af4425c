// What must hold when faults have stopped and everything had its time: all ended, as it would have
// without faults; every log is whole; nothing is left behind.

import { verifyLog } from "#core/engine/verify";
import type { ExecutionId } from "#core/model/ids";
import { sha256 } from "#tests/support/engine";
import type { Asked } from "./client.ts";
import { type Ending, endingOf, wishKey } from "./expected.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import { running, Violation } from "./record.ts";
import type { World } from "./world.ts";

export interface EndOptions {
  readonly expected: ReadonlyMap<string, Ending>;
  readonly isDone: boolean;
  /** Of faults. */
  readonly kinds: readonly FaultKind[];
}

/** What may cost a command its attempts: any other fault costs time only. */
const harmful: ReadonlySet<FaultKind> = new Set(
  faultKinds.filter((kind) => !/^hint|^commit reply lost|^store away/.test(kind)),
);

/** @throws Violation for the first rule that does not hold. */
export async function checkEnd(world: World, asked: Asked, options: EndOptions): Promise<void> {
  const { record, outside, reports } = world;
  const [refusal] = asked.refusals;
  if (refusal !== undefined) throw new Violation("refused request", refusal);
  if (!options.isDone) throw new Violation("nothing is stuck", whatIsStuck(world));
  const bug = reports.find((report) => /InvariantViolation|TypeError|quarantined/.test(report));
  if (bug !== undefined) throw new Violation("no bug inside", bug);
  const [problem] = outside.problems;
  if (problem !== undefined) throw new Violation("idempotency key", problem);
  for (const id of asked.started) {
    if (!record.states.has(id))
      throw new Violation("acknowledged start", `${id} is not in the log`);
  }
  for (const id of record.states.keys()) {
    await checkLog(world, id);
    checkEnding(world, asked, { id, ...options });
  }
  const events = [...record.states.values()].reduce((sum, { seq }) => sum + seq, 0);
  const fed = await world.stores.feed.after(undefined, { limit: events + 1 });
  if (fed.entries.length !== events) {
    throw new Violation("feed", `it gives ${fed.entries.length} of ${events} events`);
  }
  const left = (await world.stores.log.backlog()).filter(({ ready, leased }) => ready + leased > 0);
  if (left.length > 0) throw new Violation("no rows left", JSON.stringify(left));
}

function whatIsStuck({ record }: World): string {
  const open = running(record).map(
    ({ executionId, seq, commands }) =>
      `${executionId} at event ${seq} with ${[...commands.values()]
        .map(
          ({ commandId, attempt, waiting }) =>
            `${commandId} (attempt ${attempt}${waiting === true ? ", waiting" : ""})`,
        )
        .join(", ")}`,
  );
  return `running: ${open.join("; ") || "none"}; rows: ${[...record.rows].join(", ") || "none"}`;
}

/** The log as it is stored, read anew and checked as anyone can who holds it. */
async function checkLog(world: World, id: ExecutionId): Promise<void> {
  const { stores, record, outside } = world;
  const stored = await stores.log.events(id, 0, Number.MAX_SAFE_INTEGER);
  const { problems, state } = verifyLog(id, stored, sha256);
  const [problem] = problems;
  if (problem !== undefined) throw new Violation("log", `${id}: ${problem}`);
  if (stored.length !== record.texts(id).length) {
    throw new Violation("acknowledged append", `${id} has ${stored.length} events`);
  }
  if (!Bun.deepEquals(state, record.states.get(id))) throw new Violation("fold", `${id} differs`);
  const outcomes = new Map<string, number>();
  const kinds = new Map<string, string>();
  for (const { event } of stored) {
    if (event.type === "command.issued") kinds.set(event.command_id, event.kind);
    if (event.type !== "call.done" && event.type !== "call.error") continue;
    outcomes.set(event.command_id, (outcomes.get(event.command_id) ?? 0) + 1);
    const isCalled =
      kinds.get(event.command_id) !== "python" || outside.commands().has(event.command_id);
    if (isCalled || event.output.error?.kind === "lease_expired") continue;
    throw new Violation("effect", `${event.command_id} is settled and its tool was never called`);
  }
  for (const [command, count] of outcomes) {
    if (count !== 1) throw new Violation("outcome", `${command} has ${count} outcomes`);
  }
}

interface EndingOptions extends EndOptions {
  readonly id: ExecutionId;
}

function checkEnding(world: World, asked: Asked, { id, expected, kinds }: EndingOptions): void {
  const { record, watch } = world;
  const ending = endingOf(record, id);
  if (asked.cancelled.has(id) && ending.status !== "cancelled") {
    throw new Violation("acknowledged cancel", `${id} is ${ending.status}`);
  }
  const family = familyOf(world, id);
  if (family.some((own) => asked.cancelAsked.has(own)) && ending.status === "cancelled") return;
  const key = wishKey(record, id);
  const isDeadly = key.startsWith("sim/deadly ");
  const isPoisoned = [...watch.poisoned].some((own) => familyOf(world, own).includes(id));
  // A worker that dies over a command again and again may cost it its attempts.
  if (isPoisoned && !isDeadly && kinds.some((kind) => harmful.has(kind))) return;
  const usual = expected.get(key);
  if (usual === undefined) throw new Violation("expected end", `nothing like ${key} was started`);
  if (ending.status === usual.status && ending.result === usual.result) return;
  throw new Violation(
    "expected end",
    `${id} of ${key}: ${ending.status} ${ending.result}, without faults ${usual.status} ${usual.result}`,
  );
}

/** The execution and those above it. */
function familyOf(world: World, id: ExecutionId): readonly ExecutionId[] {
  const parent = world.record.states.get(id)?.started?.parent?.execution_id;
  return parent === undefined ? [id] : [id, ...familyOf(world, parent)];
}
