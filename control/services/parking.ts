// Commands that wait for a time (DESIGN §4): a pipeline that meets a long delay yields with a
// checkpoint, its row becomes a timer, and when that is due the next attempt goes on from there.
// No slot is held meanwhile, and the wait survives every process.

import type { CommandPayload } from "#core/engine/assemble";
import { iterationBinding } from "#core/engine/iteration";
import { isTerminal } from "#core/engine/state";
import { StoredValue } from "#core/engine/variables";
import type { IterationBinding } from "#core/model/command";
import type { DispatchTerms } from "#core/model/dispatch";
import type { CommandIssued } from "#core/model/event";
import { invariant } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { YieldedAt } from "#core/model/outcome";
import type { SettleVerdict } from "#core/ports/control-plane";
import type { CommandRow, NewCommandRow } from "#core/ports/event-log";
import type { Executions, Request } from "./executions.ts";
import { fetchResult } from "./results.ts";
import { commandPayload, termsOf } from "./rows.ts";

export interface Parking {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly yielded: YieldedAt;
  /** What is recorded instead of a checkpoint that the store refuses. */
  readonly onRejected: NonNullable<Request<SettleVerdict>["onRejected"]>;
}

/** Records that the command waits; the verdicts mean what they mean for outcomes. */
export async function parkCommand(
  executions: Executions,
  parking: Parking,
): Promise<SettleVerdict> {
  const { executionId, commandId, attempt, yielded, onRejected } = parking;
  const payload = await payloadOf(executions, executionId, commandId);
  const due = executions.context.clock.nowMs() + yielded.delay_ms;
  return executions.submit<SettleVerdict>(executionId, {
    onRejected,
    rule: (state) => {
      const command = state.commands.get(commandId);
      if (command === undefined || payload === undefined || isTerminal(state)) {
        return { answer: "gone" };
      }
      if (command.attempt !== attempt) return { answer: "refused" };
      if (command.waiting === true) return { answer: "duplicate" };
      if (command.wait !== undefined) return { answer: "refused" };
      const { checkpoint } = yielded;
      const row: NewCommandRow = {
        commandId,
        executionId,
        kind: "timer",
        pool: payload.pool,
        attempt,
        dueInMs: yielded.delay_ms,
        terms: payload.terms,
        payload: { ...payload.payload, checkpoint } as unknown as Json,
      };
      return {
        answer: "accepted",
        events: [{ type: "command.yielded", command_id: commandId, attempt, checkpoint, due }],
        extend: (builder) => builder.reissue(row),
      };
    },
  });
}

/** Issues a command again whose time has come. Idempotent: one that goes on already stays so. */
export function wakeCommand(executions: Executions, row: CommandRow): Promise<void> {
  return executions.submit<void>(row.executionId, {
    rule: (state) => {
      const command = state.commands.get(row.commandId);
      const waits = command?.waiting === true && command.attempt === row.attempt;
      if (!waits || isTerminal(state)) return { answer: undefined };
      const { commandId, executionId, pool, terms, payload } = row;
      const attempt = row.attempt + 1;
      return {
        answer: undefined,
        events: [
          { type: "command.reissued", command_id: commandId, attempt, reason: "checkpoint" },
        ],
        extend: (builder) =>
          builder.reissue({ commandId, executionId, kind: "tool", pool, attempt, terms, payload }),
      };
    },
  });
}

interface PayloadInPool {
  readonly pool: string;
  readonly terms: DispatchTerms;
  readonly payload: CommandPayload;
}

/** What the command's row holds, from the log: the event that issued it, and its loop's item. */
async function payloadOf(
  executions: Executions,
  id: ExecutionId,
  commandId: CommandId,
): Promise<PayloadInPool | undefined> {
  const seq = await executions.read(id, (state) => state.commands.get(commandId)?.issuedSeq);
  if (seq === undefined) return undefined;
  const [found] = await executions.context.log.events(id, seq - 1, 1);
  invariant(found?.event.type === "command.issued", `event ${seq} of ${id} issues no command`);
  const issued = found.event;
  const event = await withInput(executions, issued);
  const iteration = await iterationOf(executions, id, issued);
  return executions.read(id, (state) => ({
    pool: issued.pool,
    terms: termsOf(state, issued),
    payload: commandPayload(state, iteration === undefined ? { event } : { event, iteration }),
  }));
}

async function withInput(executions: Executions, event: CommandIssued): Promise<CommandIssued> {
  if (event.input_ref === undefined) return event;
  const input = await fetchResult(executions.context, event.input_ref.ref);
  return { ...event, input: input as unknown as NonNullable<CommandIssued["input"]> };
}

async function iterationOf(
  executions: Executions,
  id: ExecutionId,
  event: CommandIssued,
): Promise<IterationBinding | undefined> {
  const { iteration, step } = event;
  if (iteration === undefined) return undefined;
  const held = await executions.read(id, (state) => ({
    items: state.active.get(step)?.loop?.items ?? [],
    catalogId: state.started?.catalogId,
  }));
  if (held.catalogId === undefined) return undefined;
  const plan = await executions.context.plans.byCatalogId(held.catalogId);
  const loop = plan.byName.get(step)?.loop;
  const { items } = held;
  const list =
    items instanceof StoredValue ? await fetchResult(executions.context, items.ref.ref) : items;
  return loop === undefined || !Array.isArray(list)
    ? undefined
    : iterationBinding(loop.iterator, list as readonly Json[], iteration);
}
