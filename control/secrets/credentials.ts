// What people do with credentials: store, list, look at, delete. The fields of one are sealed before
// anything else is done with them, and an audit entry stands before they are shown.

import { audited } from "#control/access/audit";
import type { ControlContext } from "#control/services/context";
import { atLeast, type Principal } from "#core/model/access";
import { Fault } from "#core/model/fault";
import { type JsonObject, jsonProblem } from "#core/model/json";
import { jsonDepthMax } from "#core/model/limits";
import { credentialBytesMax, credentialsPageMax } from "#core/model/secret-limits";
import type {
  CredentialAllow,
  CredentialFilter,
  CredentialRow,
  NewCredentialRow,
} from "#core/ports/credential-store";
import type { Seals } from "#core/ports/seals";
import { checkAbout, checkAllow, checkName } from "./checks.ts";
import { checkFields, knownType } from "./credential-types.ts";
import { rowCacheOf } from "./row-cache.ts";
import { headerOf } from "./sealed.ts";
import { openRow } from "./source.ts";

export interface NewCredential {
  readonly tenant: string;
  readonly name: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly meta: JsonObject;
  readonly tags: readonly string[];
  readonly description?: string;
  readonly allow: CredentialAllow;
}

/** @throws Fault `unavailable` where there is no master key. */
export function sealsIn({ seals }: ControlContext): Seals {
  if (seals !== undefined) return seals;
  throw new Fault(
    "unavailable",
    "credentials are not kept without a master key: set NOETL_MASTER_KEY or NOETL_MASTER_KEY_FILE",
  );
}

/**
 * Stores, or replaces by name.
 * @throws Fault `invalid`, `too_large`; `forbidden` for naming other tenants; `unavailable`.
 */
export async function putCredential(
  context: ControlContext,
  who: Principal,
  given: NewCredential,
): Promise<{ readonly row: CredentialRow; readonly created: boolean }> {
  const seals = sealsIn(context);
  const { tenant, name, meta, tags, description, allow } = given;
  checkName(name);
  const type = knownType(given.type);
  checkFields(type, given.data);
  checkAbout(given);
  checkAllow(allow, given, who);
  const sealed = await seals.seal(textOf(given.data), { kind: "credential", tenant, name });
  const credential: NewCredentialRow = {
    credentialId: context.ids.catalogId(),
    ...{ tenant, name, type, sealed, kid: headerOf(sealed).kid, meta, tags, allow },
    ...(description === undefined ? {} : { description }),
  };
  const stored = await context.vault.put(credential);
  forget(context);
  await audited(context, who, {
    action: "credential.put",
    object: `credential/${name}`,
    tenant,
    about: { type, revision: stored.row.revision },
  });
  return stored;
}

function textOf(data: JsonObject): string {
  const problem = jsonProblem(data, jsonDepthMax);
  if (problem !== undefined) throw new Fault("invalid", `data: ${problem}`);
  const text = JSON.stringify(data);
  if (new TextEncoder().encode(text).length > credentialBytesMax) {
    throw new Fault("too_large", `data: expected at most ${credentialBytesMax} bytes`);
  }
  return text;
}

export interface CredentialPage {
  readonly rows: readonly CredentialRow[];
  /** Read on after this name; undefined at the end. */
  readonly nextAfter: string | undefined;
}

/** By name. */
export async function listCredentials(
  { vault }: ControlContext,
  tenant: string,
  filter: CredentialFilter,
): Promise<CredentialPage> {
  const limit = Math.min(Math.max(filter.limit, 1), credentialsPageMax);
  const rows = await vault.list(tenant, { ...filter, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  return { rows: shown, nextAfter: rows.length > limit ? shown.at(-1)?.name : undefined };
}

/** @throws Fault `not_found`. */
export async function credentialRow(
  { vault }: ControlContext,
  tenant: string,
  ref: string,
): Promise<CredentialRow> {
  const row = await vault.get(tenant, ref);
  if (row === undefined) throw new Fault("not_found", `credential ${ref} does not exist`);
  return row;
}

/**
 * The fields of one, for an administrator's eyes; both the look and its refusal are audited before
 * anything is answered.
 * @throws Fault `forbidden` for everybody else, `unavailable`, `internal`.
 */
export async function revealCredential(
  context: ControlContext,
  who: Principal,
  row: CredentialRow,
): Promise<JsonObject> {
  const { tenant, name } = row;
  const entry = { action: "credential.reveal", object: `credential/${name}`, tenant };
  if (!atLeast(who.role, "admin")) {
    await refuseReveal(context, who, { tenant, ref: name });
  }
  const data = await openRow(row, sealsIn(context));
  await audited(context, who, entry);
  return data;
}

/**
 * Says no to somebody who may not see fields, whether or not there is such a credential.
 * @throws Fault `forbidden`.
 */
export async function refuseReveal(
  context: ControlContext,
  who: Principal,
  { tenant, ref }: { readonly tenant: string; readonly ref: string },
): Promise<never> {
  const object = `credential/${ref}`;
  await audited(context, who, { action: "credential.reveal", object, outcome: "refused", tenant });
  throw new Fault("forbidden", `expected role admin, found role ${who.role}`);
}

/** @throws Fault `not_found`. */
export async function deleteCredential(
  context: ControlContext,
  who: Principal,
  { tenant, ref }: { readonly tenant: string; readonly ref: string },
): Promise<CredentialRow> {
  const row = await credentialRow(context, tenant, ref);
  await context.vault.remove(tenant, row.credentialId);
  forget(context);
  const object = `credential/${row.name}`;
  await audited(context, who, { action: "credential.delete", object, tenant });
  return row;
}

function forget({ vault, clock }: ControlContext): void {
  rowCacheOf(vault, () => clock.nowMs()).forget();
}
