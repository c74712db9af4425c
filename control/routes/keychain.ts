// The keychain: what was fetched from providers, or put there by hand, and is kept for a while.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import {
  type EntryKey,
  entryKey,
  forget,
  lookAt,
  type NewEntry,
  putEntry,
  refuseLook,
} from "#control/keychain/entries";
import { googleTokenFor } from "#control/keychain/google-access";
import { keptEntries } from "#control/keychain/kept";
import type { ControlContext } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { atLeast } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { keychainScopeNames } from "#core/playbook/keychain-kinds";
import type { StoredKeychainRow } from "#core/ports/keychain-store";
import { api } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

type PutBody = RouteRequest<typeof api.putKeychainEntry.parts>["body"];

export function keychainRoutes(app: Elysia, { context }: Executions): void {
  lookRoutes(app, context);
  changeRoutes(app, context);
  mount(app, api.googleToken, async ({ body }, http) => {
    const { credential, credential_id: id, scopes } = body;
    const list = typeof scopes === "string" ? scopes.split(/[\s,]+/) : (scopes ?? []);
    const given = await googleTokenFor(context, principalOf(http), {
      credential: credential ?? id ?? undefined,
      tenant: tenantFor(http),
      scopes: list.filter((each) => each !== ""),
    });
    const { token, expiresAtMs } = given;
    return { access_token: token, token_expiry: timeOf(expiresAtMs), scopes: [...given.scopes] };
  });
}

function lookRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.getKeychainEntry, async ({ params, query }, http) => {
    const key = await keyOf(context, params, query);
    const who = principalOf(http);
    const withData = query.include_data === "true" || query.include_data === "1";
    if (withData && who.platform !== true && !atLeast(who.role, "admin")) {
      await refuseLook(context, who, key);
      throw new Fault("forbidden", `expected role admin for its fields, found role ${who.role}`);
    }
    const { row, data } = await lookAt(context, who, { key, withData });
    if (row === undefined) {
      const { name, catalogId, cacheKey, scope } = key;
      const place = { keychain_name: name, catalog_id: catalogId, cache_key: cacheKey };
      return { status: "not_found" as const, ...place, scope_type: scope, expired: false };
    }
    const fields = data === undefined ? {} : { token_data: { ...data }, data: { ...data } };
    return { ...told(context, row), ...fields };
  });
  mount(app, api.listKeychainEntries, async ({ params }) => {
    const { catalog_id: catalogId } = params;
    const { tenant } = await entryKey(context, { catalogId, name: "*", scope: "global" });
    const rows = (await keptEntries(context).store?.ofCatalog(catalogId)) ?? [];
    const entries = rows.filter((row) => row.tenant === tenant).map((row) => told(context, row));
    return { catalog_id: catalogId, entries, count: entries.length };
  });
}

function changeRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.putKeychainEntry, async ({ params, body }, http) => {
    const { parent_execution_id: parent, execution_id: id = parent ?? undefined } = body;
    const key = await keyOf(context, params, {
      ...body,
      ...(id === undefined ? {} : { execution_id: id }),
    });
    const entry = newEntry(context, body);
    return told(context, await putEntry(context, principalOf(http), { key, entry }));
  });
  mount(app, api.deleteKeychainEntry, async ({ params, query }, http) => {
    const key = await keyOf(context, params, query);
    const deleted = await forget(context, principalOf(http), key);
    const { name, catalogId, cacheKey } = key;
    const status = deleted ? ("success" as const) : ("not_found" as const);
    return { status, deleted, keychain_name: name, catalog_id: catalogId, cache_key: cacheKey };
  });
}

interface AskedPlace {
  readonly execution_id?: string;
  readonly scope_type?: keyof typeof keychainScopeNames;
}

function keyOf(
  context: ControlContext,
  { catalog_id: catalogId, name }: { readonly catalog_id: string; readonly name: string },
  { execution_id: id, scope_type: scope = "global" }: AskedPlace,
): Promise<EntryKey> {
  const executionId = id === undefined || id === "" ? undefined : parseExecutionId(id);
  return entryKey(context, { catalogId, name, scope: keychainScopeNames[scope], executionId });
}

function newEntry(context: ControlContext, body: PutBody): NewEntry {
  const { data, token_data: tokenData, ttl_seconds: ttl, expires_in: expiresIn } = body;
  if ((data === undefined) === (tokenData === undefined)) {
    throw new Fault("invalid", "expected data or token_data, and one of them alone");
  }
  const ttlSeconds = ttl ?? expiresIn ?? secondsUntil(context, body.expires_at);
  if (ttlSeconds !== undefined && ttlSeconds <= 0) {
    throw new Fault("invalid", "expected a time that is yet to come");
  }
  const { cache_type: cacheType = "secret", credential_type: kind = "secret" } = body;
  return {
    // The schema holds it to a map; what is in it is JSON, for it was read as such.
    data: (data ?? tokenData ?? {}) as JsonObject,
    kind,
    cacheType,
    ttlSeconds,
    autoRenew: body.auto_renew ?? false,
    renew: renewOf(body.renew_config as JsonObject | null | undefined),
  };
}

/** An ISO time, or one in seconds or milliseconds since 1970. */
function secondsUntil(
  { clock }: ControlContext,
  at: string | number | null | undefined,
): number | undefined {
  if (at === undefined || at === null) return undefined;
  const atMs = typeof at === "string" ? Date.parse(at) : at < 1e11 ? at * 1_000 : at;
  if (!Number.isFinite(atMs)) throw new Fault("invalid", "expires_at: expected a time");
  return (atMs - clock.nowMs()) / 1_000;
}

/** Where it is renewed; what is sent there may hold secrets, and is not kept. */
function renewOf(config: JsonObject | null | undefined): JsonObject | undefined {
  if (config === null || config === undefined) return undefined;
  const kept = ["endpoint", "method"].flatMap((name) => {
    const value = config[name];
    return typeof value === "string" && !value.includes("?") ? [[name, value] as const] : [];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function told({ clock }: ControlContext, row: StoredKeychainRow) {
  const { catalogId = "", expiresAtMs, expired, renew } = row;
  const leftMs = expiresAtMs === undefined ? undefined : expiresAtMs - clock.nowMs();
  return {
    status: expired ? ("expired" as const) : ("success" as const),
    keychain_name: row.name,
    catalog_id: catalogId,
    cache_key: row.cacheKey,
    scope_type: row.scope,
    expired,
    credential_type: row.kind,
    cache_type: row.cacheType,
    expires_at: timeOf(expiresAtMs),
    ttl_seconds: leftMs === undefined ? null : Math.max(0, Math.floor(leftMs / 1_000)),
    created_at: new Date(row.createdAtMs).toISOString(),
    accessed_at: timeOf(row.accessedAtMs),
    access_count: row.accessCount,
    auto_renew: row.autoRenew,
    renew_config: renew === undefined ? null : { ...renew },
    execution_id: row.executionId ?? row.rootExecutionId ?? null,
  };
}

function timeOf(atMs: number | undefined): string | null {
  return atMs === undefined ? null : new Date(atMs).toISOString();
}
