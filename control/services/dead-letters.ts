// Dead letters: commands that were given up, and what may be done about them. Executions in
// quarantine stand in the same list, because somebody has to look at both.

import type { ExecutionState } from "#core/engine/state";
import type { EventBody, PlaybookStarted } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type CommandId, type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import { isJsonObject, type JsonObject } from "#core/model/json";
import type { Failure } from "#core/model/outcome";
import type {
  DeadLetter,
  DeadLetterReason,
  NewDeadLetter,
  Quarantined,
} from "#core/ports/dead-letters";
import type { Executions } from "./executions.ts";
import { startExecution } from "./lifecycle.ts";
import { fetchResult } from "./results.ts";

/** A tool may say any code, but not with the kind that is the platform's own. */
function reasonOf({ kind, code }: Pick<Failure, "kind" | "code">): DeadLetterReason | undefined {
  if (kind === "lease_expired" && code === "poisoned") return code;
  return kind === "result" && code === "result_rejected" ? code : undefined;
}

/** The letters that these facts leave, of a state in which the commands are still open. */
export function deadLettersOf(
  state: ExecutionState,
  bodies: readonly EventBody[],
): readonly NewDeadLetter[] {
  return bodies.flatMap((body) => {
    if (body.type !== "call.error") return [];
    const { command_id: commandId, attempt, worker, output } = body;
    const reason = output.error === undefined ? undefined : reasonOf(output.error);
    if (reason === undefined) return [];
    const message = output.error?.message ?? "";
    const step = state.commands.get(commandId)?.step ?? "";
    const letter = { commandId, step, attempt, reason, message };
    return [worker === undefined ? letter : { ...letter, worker }];
  });
}

export interface GivenUp {
  readonly letters: readonly DeadLetter[];
  readonly quarantined: readonly Quarantined[];
}

/** @param tenant of whom; of all without one. */
export async function givenUp(
  { context }: Executions,
  limit: number,
  tenant?: string,
): Promise<GivenUp> {
  const [letters, quarantined] = await Promise.all([
    context.log.deadLetters(limit, tenant),
    context.log.quarantines(limit, tenant),
  ]);
  return { letters, quarantined };
}

export interface Retried {
  readonly executionId: ExecutionId;
  /** `started`: a new execution; `lifted`: the execution itself, whose log is whole. */
  readonly status: "started" | "lifted";
}

/**
 * Tries again: the playbook of a dead letter's execution from its start, in the same version and
 * with the same workload, as a new execution; or the replay of an execution in quarantine.
 * @param id of the command, or of the execution in quarantine.
 * @throws Fault `not_found`; `internal` when the log still doesn't replay.
 */
export async function retryGivenUp(executions: Executions, id: string): Promise<Retried> {
  const { log } = executions.context;
  if (isSnowflake(id)) return liftQuarantine(executions, executionId(id));
  const letter = await log.deadLetter(id as CommandId);
  if (letter === undefined) throw new Fault("not_found", `command ${id} has no dead letter`);
  const [first] = await log.events(letter.executionId, 0, 1);
  if (first?.event.type !== "playbook.started") {
    throw new Fault("not_found", `execution ${letter.executionId} is not kept any more`);
  }
  const { catalog_id: catalogId, origin, priority, tenant } = first.event;
  const started = await startExecution(executions, {
    catalogId,
    workload: await workloadOf(executions, first.event),
    origin: { ...origin, dead_letter: letter.commandId },
    ...(priority === undefined ? {} : { priority }),
    ...(tenant === undefined ? {} : { tenant }),
  });
  await log.dropDeadLetter(letter.commandId);
  return { executionId: started.executionId, status: "started" };
}

async function workloadOf(executions: Executions, event: PlaybookStarted): Promise<JsonObject> {
  if (event.workload_ref === undefined) return event.workload ?? {};
  const value = await fetchResult(executions.context, event.workload_ref.ref);
  return isJsonObject(value) ? value : {};
}

/** The replay writes its reason anew when it throws. */
async function liftQuarantine(executions: Executions, id: ExecutionId): Promise<Retried> {
  const { log } = executions.context;
  if ((await log.quarantined(id)) === undefined) {
    throw new Fault("not_found", `execution ${id} is not in quarantine`);
  }
  executions.states.drop(id);
  await executions.states.replay(id);
  await log.liftQuarantine(id);
  return { executionId: id, status: "lifted" };
}

/** @param id of the command; quarantine ends by a retry alone. @throws Fault `not_found`. */
export async function dropGivenUp({ context }: Executions, id: string): Promise<void> {
  if (await context.log.dropDeadLetter(id as CommandId)) return;
  throw new Fault("not_found", `command ${id} has no dead letter`);
}
