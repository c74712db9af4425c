// Who may answer a callback: whoever has its token, a machine of the installation, and somebody who
// has signed in and may do so in the tenant of the execution.

import { admissionOf } from "#control/access/admission";
import type { ControlContext } from "#control/services/context";
import { atLeast } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { waitTokenPrefix } from "#core/model/wait-token";
import { readWaitToken, type WaitClaim } from "./tokens.ts";

export interface CallbackAsk {
  readonly executionId: ExecutionId;
  /** The token in the address, where there is one. */
  readonly token: string | undefined;
  /** Whether the token is for what is being answered. */
  readonly isFor: (claim: WaitClaim) => boolean;
}

/**
 * @throws Fault `unauthenticated` without a token that is good, `forbidden` for one of something else,
 * `not_found` for an execution of another tenant.
 */
export async function admitCallback(
  context: Pick<ControlContext, "clock" | "waitKey">,
  http: Request,
  { executionId, token = bearerToken(http), isFor }: CallbackAsk,
): Promise<void> {
  if (token !== undefined) {
    const claim = await readWaitToken(context, token);
    if (claim.executionId === executionId && claim.for === "callback" && isFor(claim)) return;
    throw new Fault("forbidden", "the token is for something else that is waited for");
  }
  const { principal, owns } = admissionOf(http);
  if (principal === undefined) {
    throw new Fault("unauthenticated", "expected the token of the callback, found none");
  }
  if (principal.platform === true || principal.acrossTenants === true) return;
  if (!(await owns("execution", executionId, principal.tenant))) {
    throw new Fault("not_found", `execution ${executionId} does not exist`);
  }
  if (principal.kind === "person" && atLeast(principal.role, "operator")) return;
  throw new Fault("forbidden", "expected role operator, or the token of the callback");
}

function bearerToken({ headers }: Request): string | undefined {
  const [, text] = /^\s*bearer +(\S+)\s*$/i.exec(headers.get("authorization") ?? "") ?? [];
  return text?.startsWith(waitTokenPrefix) === true ? text : undefined;
}
