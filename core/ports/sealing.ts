// The key of one worker: what is secret is sealed to its public half, and this process alone opens
// it. It is made when the process starts and is never written anywhere.

import type { CommandId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

export interface Sealing {
  /** A JSON Web Key of the curve X25519, told to whoever is to seal something. */
  publicKey(): Promise<JsonObject>;
  /**
   * Opens what was sealed to this key for this command.
   * @throws Fault `invalid` for what is for another key or command, or was changed on its way.
   */
  unseal(sealed: string, commandId: CommandId): Promise<JsonObject>;
}
