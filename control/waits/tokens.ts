// Tokens by which an answer from outside shows that it may answer what waits under a key.

import type { ControlContext } from "#control/services/context";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";

/**
 * @param _key what is waited for under.
 * @throws Fault `unavailable` where there is no key to sign with.
 */
export async function callbackToken(
  _context: ControlContext,
  _executionId: ExecutionId,
  _key: string,
): Promise<string> {
  throw new Fault("unavailable", "there is no key that tokens of callbacks are signed with");
}
