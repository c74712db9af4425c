// One round of a cursor loop: the command that claims rows, has them recorded, and works on them.
// It refuses all of them, as cursor loops are not built.

import { Fault } from "#core/model/fault";
import type { Outcome } from "#core/model/outcome";
import type { CommandRun } from "./command-run.ts";
import type { WorkerServices } from "./services.ts";

/** @throws Fault `invalid`, which `run-command` makes the outcome of. */
export async function runFrame(run: CommandRun, _services: WorkerServices): Promise<Outcome> {
  const { command_id: id } = run.command;
  throw new Fault("invalid", `command ${id} is a frame, and cursor loops are not built`);
}
