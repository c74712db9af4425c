// Tokens by which an answer from outside shows that it may answer what waits under a key. One is good
// for one call of one execution, until its time is over; that call is answered once.

import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { ControlContext } from "#control/services/context";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import { waitTokenCharsMax, waitTokenMsMax } from "#core/model/schedule-limits";
import { waitTokenPrefix } from "#core/model/wait-token";

export interface WaitClaim {
  readonly executionId: ExecutionId;
  readonly key: string;
  /** What is to be answered. */
  readonly for: "callback" | "signal" | "approval";
  /** The call that waits; that of a job is not known to wait yet. */
  readonly commandId?: string;
  /** In whose name the answer is given. */
  readonly role?: string;
  /** Who made the token. */
  readonly by?: string;
  readonly expiresAtMs: number;
}

type TokenContext = Pick<ControlContext, "clock" | "waitKey">;

const audience = "noetl-wait";
const algorithm = "HS256";

/** @throws Fault `unavailable` where there is no key to sign with. */
export async function waitToken({ waitKey }: TokenContext, claim: WaitClaim): Promise<string> {
  const [key] = keysOf(waitKey);
  if (key === undefined) {
    throw new Fault("unavailable", "there is no key that tokens of waits are signed with");
  }
  const { executionId: execution, key: waited, commandId, role, by, expiresAtMs } = claim;
  const text = await new SignJWT({
    execution,
    key: waited,
    for: claim.for,
    ...(commandId === undefined ? {} : { command: commandId }),
    ...(role === undefined ? {} : { role }),
    ...(by === undefined ? {} : { by }),
  })
    .setProtectedHeader({ alg: algorithm })
    .setAudience(audience)
    .setExpirationTime(Math.floor(expiresAtMs / 1_000))
    .sign(key);
  return `${waitTokenPrefix}${text}`;
}

/** @throws Fault `unauthenticated` for what is no token of this installation, or none any more. */
export async function readWaitToken(
  { clock, waitKey }: TokenContext,
  token: string,
): Promise<WaitClaim> {
  if (token.startsWith(waitTokenPrefix) && token.length <= waitTokenCharsMax) {
    const text = token.slice(waitTokenPrefix.length);
    const currentDate = new Date(clock.nowMs());
    for (const key of keysOf(waitKey)) {
      const options = { audience, algorithms: [algorithm], currentDate, requiredClaims: ["exp"] };
      const read = await jwtVerify(text, key, options).catch(() => undefined);
      const claim = read === undefined ? undefined : claimOf(read.payload);
      if (claim !== undefined) return claim;
    }
  }
  throw new Fault("unauthenticated", "the token is not valid, or its time is over");
}

function claimOf({ exp = 0, ...said }: JWTPayload): WaitClaim | undefined {
  const { execution, key, command, role, by, for: kind } = said;
  if (typeof execution !== "string" || !isSnowflake(execution)) return undefined;
  if (typeof key !== "string") return undefined;
  if (kind !== "callback" && kind !== "signal" && kind !== "approval") return undefined;
  return {
    executionId: executionId(execution),
    key,
    for: kind,
    ...(typeof command === "string" ? { commandId: command } : {}),
    ...(typeof role === "string" ? { role } : {}),
    ...(typeof by === "string" ? { by } : {}),
    expiresAtMs: exp * 1_000,
  };
}

function keysOf(waitKey: string | undefined): readonly Uint8Array[] {
  if (waitKey === undefined || waitKey === "") return [];
  return waitKey.split(",").map((key) => new TextEncoder().encode(key));
}

/**
 * The token by which a call that goes on elsewhere may tell of its end; empty where nothing is signed,
 * and then nothing asks for it either.
 */
export async function callbackToken(
  context: TokenContext,
  id: ExecutionId,
  key: string,
): Promise<string> {
  if (keysOf(context.waitKey).length === 0) return "";
  const expiresAtMs = context.clock.nowMs() + waitTokenMsMax;
  return waitToken(context, { executionId: id, key, for: "callback", expiresAtMs });
}
