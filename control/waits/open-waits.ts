// What executions wait for, as it is shown: of one execution off its state, of all off the index.

import type { Executions } from "#control/services/executions";
import type { ExecutionState, OpenCommand, WaitState } from "#core/engine/state";
import { isTerminal } from "#core/engine/state";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { OpenWait, OpenWaitFilter } from "#core/ports/wait-index";
import { type Approver, mayAnswer } from "./approvals.ts";

export interface ShownWait extends Pick<WaitState, "for" | "key" | "who" | "about" | "sinceMs"> {
  readonly commandId: string;
  readonly executionId: ExecutionId;
  readonly step: string;
  readonly dueMs?: number;
}

/** @throws Fault `not_found`. */
export async function waitsOf(
  executions: Executions,
  id: ExecutionId,
): Promise<readonly ShownWait[]> {
  const waits = await executions.read(id, (state) =>
    state.started === undefined ? undefined : openWaits(state),
  );
  if (waits === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
  return waits;
}

/** One that somebody is to answer. @throws Fault `not_found`, also for an execution that has ended. */
export async function waitUnder(
  executions: Executions,
  id: ExecutionId,
  key: string,
): Promise<ShownWait> {
  const waits = await waitsOf(executions, id);
  const found = waits.find((wait) => wait.key === key && wait.for !== "timer");
  if (found !== undefined) return found;
  throw new Fault("not_found", `execution ${id} waits for nothing under the key`);
}

function openWaits(state: ExecutionState): readonly ShownWait[] {
  if (isTerminal(state)) return [];
  return [...state.commands.values()].flatMap((command) => {
    const { wait, answer } = command;
    return wait === undefined || answer !== undefined ? [] : [shown(state, command, wait)];
  });
}

function shown(
  { executionId }: ExecutionState,
  { commandId, step }: OpenCommand,
  { due, ...wait }: WaitState,
): ShownWait {
  return { ...wait, commandId, executionId, step, ...(due === undefined ? {} : { dueMs: due }) };
}

export interface WaitPage {
  readonly waits: readonly OpenWait[];
  /** Where the next page begins; undefined behind the last one. */
  readonly nextAfter: string | undefined;
}

/** Those of the page that this one may answer. */
export async function answerable(
  { context }: Executions,
  filter: OpenWaitFilter,
  approver: Approver,
): Promise<WaitPage> {
  const { waits, nextAfter } = await pageOfWaits({ context }, filter);
  return { waits: waits.filter((wait) => mayAnswer(approver, wait)), nextAfter };
}

export async function pageOfWaits(
  { context }: Pick<Executions, "context">,
  filter: OpenWaitFilter,
): Promise<WaitPage> {
  const found = await context.waits.list({ ...filter, limit: filter.limit + 1 });
  const waits = found.slice(0, filter.limit);
  const more = found.length > filter.limit;
  return { waits, nextAfter: more ? waits.at(-1)?.commandId : undefined };
}
