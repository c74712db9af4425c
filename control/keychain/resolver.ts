// Resolves entries for one command: each with the earlier ones that it reads, from what is kept or
// from whoever has it.

import type { SecretProviders } from "#control/keychain/providers/index";
import { secondsOf } from "#control/keychain/providers/provider";
import type { ControlContext } from "#control/services/context";
import { Fault } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import {
  type KeychainKind,
  keychainKindOf,
  keychainScopeNames,
  neverRenewed,
} from "#core/playbook/keychain-kinds";
import { keychainNames, keychainRoot, missingField } from "#core/playbook/keychain-reads";
import { TemplateRuntimeError, TemplateSyntaxError } from "#core/playbook/template";
import { type CompiledValue, compileValue, renderValue } from "#core/playbook/value";
import type { CredentialRecord } from "#core/ports/control-plane";
import type { KeychainScope } from "#core/ports/keychain-store";
import { type EntryParts, type EntryValues, entryValues } from "./entry-values.ts";
import { type KeptPlace, keptEntries } from "./kept.ts";
import { outside } from "./outside.ts";
import { cacheKeyOf, rootOf } from "./places.ts";
import type { Asker } from "./resolve.ts";

/** What costs nothing to come to, or is asked for anew because not everybody may have it. */
const neverKept: ReadonlySet<KeychainKind> = new Set(["static", "bearer", "credential"]);

interface Entry {
  readonly name: string;
  readonly kind: KeychainKind;
  readonly fields: JsonObject;
  readonly compiled: CompiledValue;
  /** Earlier entries that it reads. */
  readonly needs: readonly string[];
}

export class Resolver {
  readonly parts: EntryParts;
  readonly #found = new Map<string, Promise<JsonObject>>();

  constructor(
    readonly context: ControlContext,
    readonly asker: Asker,
    readonly keychain: readonly JsonObject[],
  ) {
    this.parts = {
      providers: () => providersOf(context),
      credential: (alias) => this.#credential(alias),
    };
  }

  /** The fields of an entry; each is resolved once for the command. */
  values(name: string): Promise<JsonObject> {
    const known = this.#found.get(name) ?? this.#resolve(name);
    this.#found.set(name, known);
    return known;
  }

  /** What is thrown on the way names the entry and its kind. */
  async named<Value>(name: string, kind: string, find: () => Promise<Value>): Promise<Value> {
    try {
      return await find();
    } catch (thrown) {
      const of = `keychain entry ${name} of kind ${kind}`;
      if (thrown instanceof Fault) {
        // What an entry reads has said it of itself.
        if (thrown.message.startsWith("keychain entry ")) throw thrown;
        throw new Fault(thrown.code, `${of}: ${thrown.message}`, { cause: thrown });
      }
      if (thrown instanceof TemplateRuntimeError || thrown instanceof TemplateSyntaxError) {
        // Its message may quote what it was given.
        throw new Fault("invalid", `${of}: a template of it failed`, { cause: thrown });
      }
      throw thrown;
    }
  }

  async #resolve(name: string): Promise<JsonObject> {
    const entry = this.#entry(name);
    return this.named(name, entry.kind, async () => {
      await this.#checkAllowed(entry);
      if (neverKept.has(entry.kind)) return (await this.#fetch(entry)).values;
      const place = await this.#place(entry);
      return keptEntries(this.context).read(place, () => this.#fetch(entry));
    });
  }

  #entry(name: string): Entry {
    const fields = this.keychain.find((each) => each["name"] === name);
    const kind = fields === undefined ? undefined : keychainKindOf(fields);
    if (fields === undefined || kind === undefined) {
      throw new Fault("not_found", `keychain entry ${name} does not exist`);
    }
    const compiled = compileValue(fields);
    const needs = compiled.constant ? [] : keychainNames(compiled.reads);
    return { name, kind, fields, compiled, needs: needs.flatMap((each) => each ?? []) };
  }

  /** Whoever may not have a credential may not have what was got by it, kept or not. */
  async #checkAllowed(entry: Entry): Promise<void> {
    for (const name of entry.needs) await this.#checkAllowed(this.#entry(name));
    if (neverKept.has(entry.kind)) return;
    for (const field of ["auth", "credential", "service_account_credential"]) {
      const given = entry.fields[field];
      const alias = isJsonObject(given) ? (given["credential"] ?? given["alias"]) : given;
      if (typeof alias !== "string" || alias === "") continue;
      const compiled = compileValue(alias);
      const text = compiled.constant ? alias : this.#render(compiled, {});
      if (typeof text === "string" && text !== "") await this.#credential(text);
    }
  }

  async #fetch({ kind, compiled, needs, fields }: Entry): Promise<EntryValues> {
    if (compiled.constant) return entryValues(kind, fields, this.parts);
    // Without a prototype: every name is only ever a name.
    const earlier = Object.create(null) as Record<string, JsonObject>;
    for (const name of needs) earlier[name] = await this.values(name);
    const missing = missingField(compiled.reads, earlier);
    if (missing !== undefined) throw new Fault("invalid", missing);
    const rendered = this.#render(compiled, earlier);
    // A map of JSON, whose templates gave JSON.
    return entryValues(kind, rendered as JsonObject, this.parts);
  }

  /** The playbook's own text over the workload and earlier entries, and nothing else. */
  #render(compiled: CompiledValue, earlier: JsonObject): Json {
    const { workload, ask } = this.asker;
    const given: Readonly<Record<string, unknown>> = {
      workload,
      [keychainRoot]: earlier,
      execution_id: ask.executionId,
    };
    const scope = {
      get: (name: string): unknown => {
        if (Object.hasOwn(given, name)) return given[name];
        return Object.hasOwn(workload, name) ? workload[name] : undefined;
      },
    };
    return (renderValue(compiled, scope, { nowMs: this.context.clock.nowMs() }) ?? null) as Json;
  }

  async #place({ name, kind, fields }: Entry): Promise<KeptPlace> {
    const { ask, catalogId } = this.asker;
    const { tenant, executionId } = ask;
    const scope = scopeOf(fields["scope"]);
    const root = scope === "shared" ? await rootOf(this.context, executionId) : undefined;
    const boundTo = scope === "local" ? executionId : root;
    const { ttl_seconds: ttl, endpoint } = fields;
    const compiled = compileValue(ttl ?? null);
    const seconds = secondsOf(compiled.constant ? ttl : this.#render(compiled, {}));
    return {
      cacheKey: cacheKeyOf({ tenant, name, catalogId, scope, boundTo }),
      ...{ tenant, name, catalogId, scope, kind },
      ...(scope === "local" ? { executionId } : {}),
      ...(root === undefined ? {} : { rootExecutionId: root }),
      autoRenew: fields["auto_renew"] === true && !neverRenewed.has(kind),
      ttlSeconds: seconds,
      ...(typeof endpoint === "string" ? { renew: { endpoint } } : {}),
    };
  }

  async #credential(alias: string): Promise<CredentialRecord> {
    const record = await this.context.credentials(alias, this.asker.ask);
    if (record !== undefined) return record;
    throw new Fault("not_found", `credential ${alias} does not exist`);
  }
}

function scopeOf(scope: Json | undefined): KeychainScope {
  const known = Object.entries(keychainScopeNames).find(([name]) => name === scope);
  return known?.[1] ?? "global";
}

const providers = new WeakMap<ControlContext, Promise<SecretProviders>>();

/** Loaded when the first entry needs one: most control planes never meet any. */
export function providersOf(context: ControlContext): Promise<SecretProviders> {
  const known = providers.get(context) ?? openProviders(context);
  providers.set(context, known);
  return known;
}

async function openProviders(context: ControlContext): Promise<SecretProviders> {
  const { settings = {}, fetch = globalThis.fetch, readText } = context.keychainOptions ?? {};
  const { secretProviders } = await import("#control/keychain/providers/index");
  const { clock } = context;
  const hostsAllowed = settings.NOETL_SECRET_HOSTS_ALLOWED ?? [];
  const ask = outside({ fetch, clock, hostsAllowed });
  return secretProviders({ ask, clock, settings, readText });
}
