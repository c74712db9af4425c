// Whether a token is good, and whom it stands for. What the store says of one is believed for a few
// seconds, so that a request costs no statement; changes made by this process count at once.

import { BoundedCache } from "#control/services/bounded-cache";
import { lowerRole, type Principal, tenantPlatform } from "#core/model/access";
import { tokenKeptMs, tokensKeptMax, tokenTouchMs } from "#core/model/access-limits";
import type { Sha256 } from "#core/model/codec";
import { tenantDefault } from "#core/model/dispatch";
import { Fault, messageOf } from "#core/model/fault";
import type { AccessStore, KnownToken } from "#core/ports/access-store";
import type { Clock } from "#core/ports/clock";
import { isSameDigest, tokenIdOf } from "./token-text.ts";

export interface TokenCheckPorts {
  readonly people: AccessStore;
  readonly sha256: Sha256;
  readonly clock: Pick<Clock, "nowMs">;
  readonly report: (message: string) => void;
}

export interface CheckedToken extends KnownToken {
  readonly principal: Principal;
}

export interface TokenCheck {
  /** @throws Fault `unauthenticated`, the same for whatever is wrong with it. */
  check(text: string): Promise<CheckedToken>;
  /** What was read so far is asked for anew. */
  forget(): void;
}

interface Kept {
  /** Undefined for an id that no token has. */
  readonly known: KnownToken | undefined;
  readonly readAtMs: number;
}

const checks = new WeakMap<AccessStore, TokenCheck>();

/** The one check over a store: whoever changes something makes the same one forget. */
export function tokenCheck(ports: TokenCheckPorts): TokenCheck {
  const known = checks.get(ports.people);
  if (known !== undefined) return known;
  const made = newTokenCheck(ports);
  checks.set(ports.people, made);
  return made;
}

function newTokenCheck({ people, sha256, clock, report }: TokenCheckPorts): TokenCheck {
  let kept = new BoundedCache<string, Kept>(tokensKeptMax);
  const touched = new BoundedCache<string, number>(tokensKeptMax);
  const read = async (tokenId: string): Promise<KnownToken | undefined> => {
    const found = kept.get(tokenId);
    const nowMs = clock.nowMs();
    if (found !== undefined && nowMs - found.readAtMs < tokenKeptMs) return found.known;
    const into = kept;
    const known = await people.tokenById(tokenId);
    into.set(tokenId, { known, readAtMs: nowMs });
    return known;
  };
  const touch = ({ tokenId, lastUsedAtMs = 0 }: KnownToken["token"]): void => {
    const nowMs = clock.nowMs();
    if (nowMs - Math.max(touched.get(tokenId) ?? 0, lastUsedAtMs) < tokenTouchMs) return;
    touched.set(tokenId, nowMs);
    people.touchToken(tokenId, nowMs).catch((thrown: unknown) => {
      report(`when token ${tokenId} was used could not be written down: ${messageOf(thrown)}`);
    });
  };
  return {
    check: async (text) => {
      const tokenId = tokenIdOf(text);
      const known = tokenId === undefined ? undefined : await read(tokenId);
      if (known === undefined || !isSameDigest(known.token.digest, sha256(text))) throw notGood();
      const principal = principalOf(known, clock.nowMs());
      if (principal === undefined) throw notGood();
      touch(known.token);
      return { ...known, principal };
    },
    forget: () => {
      // What is being read now goes into the map that nobody looks at any more.
      kept = new BoundedCache(tokensKeptMax);
    },
  };
}

function notGood(): Fault {
  return new Fault("unauthenticated", "the access token is not valid, or not any more");
}

/** Undefined for a token that has run out, was revoked, or whose holder may not act any more. */
function principalOf(
  { token, user, membership }: KnownToken,
  nowMs: number,
): Principal | undefined {
  const isOver = token.expiresAtMs !== undefined && token.expiresAtMs <= nowMs;
  if (isOver || token.revokedAtMs !== undefined || user.disabledAtMs !== undefined)
    return undefined;
  if (membership === undefined) return undefined;
  const role = lowerRole(token.role, membership.role);
  const isPlatform = token.tenant === tenantPlatform;
  if (isPlatform && (!token.platform || role !== "admin")) return undefined;
  return {
    kind: "person",
    subject: user.email,
    tenant: isPlatform ? tenantDefault : token.tenant,
    role,
    tokenId: token.tokenId,
    userId: user.userId,
    ...(isPlatform ? { platform: true } : {}),
    via: token.kind === "session" ? "session" : "token",
  };
}
