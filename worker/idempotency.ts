// The key that makes an external effect idempotent: the same whenever the same call is made
// again, by a retry, a re-issue or another worker; another one when a jump comes back to a task.

import type { WorkerCommand } from "#core/model/command";

export interface KeyedCall {
  readonly label: string;
  /** How often the pipeline has come to this task before, retries not counted. */
  readonly ordinal: number;
}

type KeyedCommand = Pick<WorkerCommand, "execution_id" | "step" | "visit" | "iteration">;

/** SHA-256, hexadecimal, of everything that tells this call from every other one. */
export function idempotencyKey(command: KeyedCommand, call: KeyedCall): string {
  const { execution_id: execution, step, visit, iteration } = command;
  const place = iteration?.key ?? iteration?.index ?? null;
  // JSON keeps the parts apart: a step named `a:1` can't be taken for visit 1 of step `a`.
  const parts = [execution, step, visit, place, call.label, call.ordinal];
  return Bun.SHA256.hash(JSON.stringify(parts), "hex");
}
