// Entries of a playbook's keychain, as its commands are given them.

import type { Executions } from "#control/services/executions";
import { Fault } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import type { CredentialRecord } from "#core/ports/control-plane";

export interface KeychainAsk {
  readonly commandId: CommandId;
  readonly name: string;
}

/** @throws Fault `not_found` for an entry that the playbook doesn't have. */
export async function resolveKeychain(
  _executions: Executions,
  { name }: KeychainAsk,
): Promise<CredentialRecord> {
  throw new Fault("not_found", `keychain entry ${name} does not exist`);
}
