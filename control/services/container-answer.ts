// What became of a container: the answer to the call that was parked when its job had been made
// (language reference §4.10).

import type { ExecutionState, OpenCommand } from "#core/engine/state";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { errorMessageCharsMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import type { Executions } from "./executions.ts";
import { type AnswerVerdict, answerWait } from "./waits.ts";

export interface ContainerReport {
  readonly step: string;
  /** Told where the container knows it; the job's name says else. */
  readonly commandId: string | undefined;
  readonly report: JsonObject & {
    readonly state: string;
    readonly job_name?: string;
    readonly exit_code?: number | null;
    readonly reason?: string | null;
  };
}

export interface ContainerVerdict {
  readonly verdict: AnswerVerdict;
  readonly key: string;
}

/** The key by which a container's call is answered. */
export function containerKey(commandId: string): string {
  return `container:${commandId}`;
}

/** Ends the call that the report is about; a report about a call that has ended changes nothing. */
export async function answerContainer(
  executions: Executions,
  id: ExecutionId,
  report: ContainerReport,
): Promise<ContainerVerdict> {
  const found = await executions.read(id, (state) => ({
    isKnown: state.started !== undefined,
    call: callOf(state, report),
  }));
  if (found.call === undefined) {
    const verdict = found.isKnown ? "ended" : "unknown";
    return { verdict, key: containerKey(report.commandId ?? "") };
  }
  const key = containerKey(found.call);
  return { key, verdict: await answerWait(executions, id, { key, output: outputOf(report) }) };
}

/** The open call, parked or about to be: a job may end before whoever made it has said so. */
function callOf(state: ExecutionState, report: ContainerReport): CommandId | undefined {
  const { step, commandId, report: told } = report;
  const open = [...state.commands.values()].filter(
    (command) => command.kind === "container" && command.step === step,
  );
  if (commandId !== undefined) return open.find((one) => one.commandId === commandId)?.commandId;
  const named = open.filter((command) => jobOf(command) === told.job_name);
  const unnamed = open.filter(({ wait }) => wait === undefined);
  const [only, ...others] = named.length > 0 ? named : unnamed;
  return others.length === 0 ? only?.commandId : undefined;
}

const jobOf = ({ wait }: OpenCommand): unknown => wait?.about?.job_name;

const goodStates: ReadonlySet<string> = new Set(["succeeded", "completed", "complete"]);

function outputOf({ report }: ContainerReport): Output {
  const { state, exit_code: exitCode, reason, job_name: job = "of the step" } = report;
  if (goodStates.has(state.toLowerCase()) || exitCode === 0) return { status: "ok", data: report };
  const why = reason === undefined || reason === null ? "" : ` (${reason})`;
  return {
    status: "error",
    data: report,
    error: {
      kind: "container",
      message: `job ${job} ended as ${state}${why}`.slice(0, errorMessageCharsMax),
      retryable: false,
      ...(typeof exitCode === "number" ? { code: exitCode } : {}),
    },
  };
}
