// What the claims of somebody who has signed in elsewhere come to here: a tenant and a role in it,
// as the settings map them. What nothing maps comes to nothing.

import { isRole, isTenant, type Role, roles } from "#core/model/access";
import type { JsonObject } from "#core/model/json";
import type { AccessSettings } from "./settings.ts";

export interface SignIn {
  readonly tenantClaim?: string;
  readonly tenants?: Readonly<Record<string, string>>;
  readonly roleClaim?: string;
  readonly roles?: Readonly<Record<string, string>>;
}

export function signInOf(settings: Partial<AccessSettings>): SignIn {
  const {
    NOETL_SIGN_IN_TENANT_CLAIM: tenantClaim,
    NOETL_SIGN_IN_TENANTS: tenants,
    NOETL_SIGN_IN_ROLE_CLAIM: roleClaim,
    NOETL_SIGN_IN_ROLES: byClaim,
  } = settings;
  return {
    ...(tenantClaim === undefined ? {} : { tenantClaim }),
    ...(tenants === undefined ? {} : { tenants }),
    ...(roleClaim === undefined ? {} : { roleClaim }),
    ...(byClaim === undefined ? {} : { roles: byClaim }),
  };
}

export interface ClaimedMembership {
  readonly tenant: string;
  readonly role: Role;
}

/** Undefined where the claims name no tenant or no role, or the settings don't say where to look. */
export function claimsToMembership(
  signIn: SignIn,
  claims: JsonObject,
): ClaimedMembership | undefined {
  const tenant = textsOf(claims, signIn.tenantClaim)
    .map((text) => mapped(signIn.tenants, text))
    .find((text) => text !== undefined && isTenant(text));
  const claimed = textsOf(claims, signIn.roleClaim)
    .map((text) => mapped(signIn.roles, text))
    .filter((text) => text !== undefined)
    .filter(isRole);
  const role = [...roles].reverse().find((one) => claimed.includes(one));
  return tenant === undefined || role === undefined ? undefined : { tenant, role };
}

function textsOf(claims: JsonObject, name: string | undefined): readonly string[] {
  if (name === undefined || !Object.hasOwn(claims, name)) return [];
  const value = claims[name];
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === "string");
}

function mapped(
  table: Readonly<Record<string, string>> | undefined,
  text: string,
): string | undefined {
  if (table === undefined) return text;
  return Object.hasOwn(table, text) ? table[text] : undefined;
}
