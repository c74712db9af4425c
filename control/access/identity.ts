// For whom a machine asks: the gateway names the person who has signed in with it in a token that it
// signs for one minute. Only a machine of the installation may show one.

import type { JWTPayload } from "jose";
import { isRole, isTenant, type Principal } from "#core/model/access";
import { identityLeewaySeconds, identityLifeSecondsMax } from "#core/model/access-limits";
import { Fault } from "#core/model/fault";

export const identityAudience = "noetl-control";

/** @throws Fault `unauthenticated` for whatever is wrong with it. */
export type IdentityCheck = (text: string, nowMs: number) => Promise<Principal>;

/** @param keys `name:base64`, each; the settings have checked their form. */
export function identityCheck(keys: readonly string[]): IdentityCheck {
  const secrets = new Map(keys.map(secretOf));
  return async (text, nowMs) => {
    if (secrets.size === 0) throw refused("there is no key for it");
    // Only installations with a gateway need it.
    const { jwtVerify } = await import("jose");
    const verified = await jwtVerify(
      text,
      ({ kid }) => {
        const only = secrets.size === 1 && kid === undefined ? [...secrets.values()][0] : undefined;
        const secret = kid === undefined ? only : secrets.get(kid);
        if (secret === undefined) throw refused("its key is not known");
        return secret;
      },
      {
        algorithms: ["HS256"],
        audience: identityAudience,
        clockTolerance: identityLeewaySeconds,
        currentDate: new Date(nowMs),
        requiredClaims: ["iat", "exp", "sub"],
      },
    ).catch((thrown: unknown) => {
      if (thrown instanceof Fault) throw thrown;
      throw refused("it is not valid, or not any more");
    });
    return personOf(verified.payload, nowMs);
  };
}

function secretOf(key: string): [string, Uint8Array] {
  const at = key.indexOf(":");
  const coded = key
    .slice(at + 1)
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  return [key.slice(0, at), Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0))];
}

function personOf(claims: JWTPayload, nowMs: number): Principal {
  const { sub = "", iat = 0, exp = 0 } = claims;
  const { tenant, role } = claims;
  if (exp - iat > identityLifeSecondsMax) {
    throw refused(`it is good for more than ${identityLifeSecondsMax} seconds`);
  }
  if (iat > nowMs / 1000 + identityLeewaySeconds) throw refused("it is of a time to come");
  if ("platform" in claims) throw refused("it can't stand for who runs the installation");
  if (sub === "" || typeof tenant !== "string" || typeof role !== "string") {
    throw refused("expected sub, tenant and role in it");
  }
  if (!isTenant(tenant) || !isRole(role)) throw refused("its tenant or its role is none");
  return { kind: "person", subject: sub, tenant, role, via: "identity" };
}

function refused(why: string): Fault {
  return new Fault("unauthenticated", `the identity that the request is made for: ${why}`);
}
