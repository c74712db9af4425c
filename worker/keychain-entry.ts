// Entries of the keychain as a command has them: asked for when the first field reads one, kept for
// as long as the control plane would hardly say otherwise, and looked for in all that leaves it.

import { Fault } from "#core/model/fault";
import { keychainKeptByCommandMs } from "#core/model/keychain-limits";
import { type Credential, ToolFailure } from "#worker/tools/tool";
import type { CommandRun } from "./command-run.ts";
import { failure, mayHelpLater } from "./failure-of.ts";
import type { WorkerServices } from "./services.ts";

/** @throws ToolFailure of kind `credential` that names the entry. */
export async function entryOf(
  name: string,
  run: CommandRun,
  { control, clock, workerId }: WorkerServices,
): Promise<Credential> {
  const { entries } = run.secrets;
  const known = entries.get(name);
  if (known !== undefined && known.untilMs > clock.nowMs()) return known.entry;
  try {
    const entry = await control.keychain(workerId, run.command.command_id, name);
    run.secrets.note(entry);
    entries.set(name, { entry, untilMs: clock.nowMs() + keychainKeptByCommandMs });
    return entry;
  } catch (thrown) {
    throw refused(`keychain entry ${name}`, thrown);
  }
}

/**
 * Has a secret read and kept under a name, and gives the names of its fields.
 * @throws ToolFailure of kind `credential`.
 */
export async function keptSecret(
  wanted: Parameters<WorkerServices["control"]["secret"]>[2],
  run: CommandRun,
  { control, workerId }: WorkerServices,
): Promise<readonly string[]> {
  try {
    const keys = await control.secret(workerId, run.command.command_id, wanted);
    // An earlier one of that name is no more.
    run.secrets.entries.delete(wanted.as);
    return keys;
  } catch (thrown) {
    throw refused(`keychain entry ${wanted.as}`, thrown);
  }
}

/** What the control plane says of an entry names it and holds no secret. */
function refused(what: string, thrown: unknown): ToolFailure {
  const retryable = mayHelpLater(thrown);
  const reason = thrown instanceof Fault ? thrown.message : "the control plane can't be reached";
  const message = reason.startsWith("keychain entry ") ? reason : `${what}: ${reason}`;
  return new ToolFailure(failure("credential", message, { retryable }), { cause: thrown });
}
