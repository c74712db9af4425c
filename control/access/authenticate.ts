// Finds out who a request is from: a machine of the installation, a person whose token it shows, a
// person for whom the gateway asks, or a program of this machine. What is shown and not believed is
// refused, also where nobody need say who they are.

import { localAdmin, machinePrincipal, type Principal } from "#core/model/access";
import type { Sha256 } from "#core/model/codec";
import { Fault } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { Access, Identified } from "./admission.ts";
import { identityCheck } from "./identity.ts";
import { isLocal, isOwnPage } from "./local-request.ts";
import { identityHeader, presentedToken } from "./presented.ts";
import type { AccessSettings } from "./settings.ts";
import { signInOf } from "./sign-in.ts";
import type { TokenCheck } from "./token-check.ts";
import { isSameDigest } from "./token-text.ts";

export interface AccessOptions {
  readonly settings: Partial<AccessSettings>;
  readonly tokens: TokenCheck;
  readonly sha256: Sha256;
  readonly clock: Pick<Clock, "nowMs">;
  /** The address that a request came from, as its socket says; of none is known without it. */
  readonly peerOf?: (request: Request) => string | undefined;
  /** A token that is good as long as the process lives, for the administrator of this machine. */
  readonly localToken?: string;
}

type Mode = AccessSettings["NOETL_ACCESS"];

export function accessOf(options: AccessOptions): Access {
  const { settings, sha256, clock, tokens, localToken, peerOf } = options;
  const mode: Mode = settings.NOETL_ACCESS ?? "local";
  const machines = (settings.NOETL_INTERNAL_API_TOKEN ?? []).map((token) => sha256(token));
  const local = localToken === undefined ? undefined : sha256(localToken);
  const identities = identityCheck(settings.NOETL_IDENTITY_KEY ?? []);

  const holderOf = async (token: string): Promise<Principal> => {
    const digest = sha256(token);
    // All are compared, whichever it is: how long it takes says nothing.
    let isMachine = false;
    for (const known of machines) isMachine = isSameDigest(known, digest) || isMachine;
    if (isMachine) return machinePrincipal("internal");
    if (local !== undefined && isSameDigest(local, digest)) return localAdmin;
    return (await tokens.check(token)).principal;
  };

  const nobody = (request: Request): Identified => {
    if (mode === "open") return { principal: localAdmin };
    if (mode === "local" && isLocal(request, peerOf?.(request))) return { principal: localAdmin };
    return {};
  };

  const found = async (request: Request): Promise<Identified> => {
    const identity = request.headers.get(identityHeader);
    const presented = presentedToken(request);
    if (presented === undefined) {
      if (identity !== null) throw notOfMachine();
      return nobody(request);
    }
    if (presented.isOnlyCookie && !isOwnPage(request.headers)) {
      throw new Fault("unauthenticated", "the cookie of a page from elsewhere is not taken");
    }
    const principal = await holderOf(presented.token);
    if (identity === null) return { principal };
    if (principal.kind !== "machine") throw notOfMachine();
    return { principal: await identities(identity, clock.nowMs()) };
  };

  return {
    authenticate: async (request) => {
      try {
        return await found(request);
      } catch (thrown) {
        if (thrown instanceof Fault && thrown.code === "unauthenticated")
          return { refused: thrown };
        throw thrown;
      }
    },
    signIn: signInOf(settings),
  };
}

function notOfMachine(): Fault {
  return new Fault("unauthenticated", `${identityHeader} is taken from machines alone`);
}
