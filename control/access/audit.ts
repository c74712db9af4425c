// The audit log as services write to it: who did what to which object. One append is under way at a
// time; what is told meanwhile goes with the next one.

import type { ControlContext } from "#control/services/context";
import type { Principal } from "#core/model/access";
import { auditBatchMax, auditQueueMax, auditTextCharsMax } from "#core/model/access-limits";
import { Fault, messageOf } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { storableText } from "#core/model/storable-text";
import type { AuditStore, NewAuditEntry } from "#core/ports/audit-store";

export interface Audited {
  /** `<noun>.<verb>`: `credential.put`. */
  readonly action: string;
  /** `<kind>/<id>`: `credential/warehouse`. */
  readonly object: string;
  readonly outcome?: "done" | "refused";
  /** What else is worth knowing; never a secret. */
  readonly about?: JsonObject;
  /** Where it was done; the tenant of who did it without one. */
  readonly tenant?: string;
}

type AuditContext = Pick<ControlContext, "audit" | "report">;

/**
 * Resolves when the entry is stored.
 * @throws what the store throws: then the entry may or may not be there, and what is told with it
 * must not be.
 */
export function audited(context: AuditContext, who: Principal, entry: Audited): Promise<void> {
  return writerOf(context.audit).write(entryOf(who, entry));
}

/**
 * Resolves as soon as there is room for the entry: for what happens with every command. One that
 * can't be stored is reported.
 */
export async function auditedSoon(
  context: AuditContext,
  who: Principal,
  entry: Audited,
): Promise<void> {
  const writer = writerOf(context.audit);
  await writer.room();
  writer.write(entryOf(who, entry)).catch((thrown: unknown) => {
    context.report(`${entry.action} was not written to the audit log: ${messageOf(thrown)}`);
  });
}

function entryOf({ subject, kind, tenant }: Principal, entry: Audited): NewAuditEntry {
  const { action, object, outcome = "done", about } = entry;
  return {
    actor: bounded(subject),
    actorKind: kind,
    tenant: bounded(entry.tenant ?? tenant),
    action: bounded(action),
    object: bounded(object),
    outcome,
    ...(about === undefined ? {} : { about: storableMap(about) }),
  };
}

function bounded(text: string): string {
  return storableText(text.slice(0, auditTextCharsMax));
}

function storableMap(map: JsonObject): JsonObject {
  const pairs = Object.entries(map).map(([key, value]) => [storableText(key), storable(value)]);
  return Object.fromEntries(pairs) as JsonObject;
}

function storable(value: Json): Json {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  return isJsonObject(value) ? storableMap(value) : value;
}

interface Waiting {
  readonly entry: NewAuditEntry;
  readonly done: PromiseWithResolvers<void>;
}

interface Writer {
  write(entry: NewAuditEntry): Promise<void>;
  /** Resolves when there is room for one more. */
  room(): Promise<void>;
}

const writers = new WeakMap<AuditStore, Writer>();

/** One for each store, so that what requests tell at the same time goes into one statement. */
function writerOf(store: AuditStore): Writer {
  const known = writers.get(store);
  if (known !== undefined) return known;
  const made = newWriter(store);
  writers.set(store, made);
  return made;
}

function newWriter(store: AuditStore): Writer {
  let waiting: Waiting[] = [];
  let passing: Promise<void> | undefined;
  const append = async (): Promise<void> => {
    const batch = waiting.slice(0, auditBatchMax);
    waiting = waiting.slice(batch.length);
    try {
      await store.append(batch.map(({ entry }) => entry));
      for (const { done } of batch) done.resolve();
    } catch (thrown) {
      for (const { done } of batch) done.reject(thrown);
    }
  };
  const pass = async (): Promise<void> => {
    while (waiting.length > 0) await append();
    passing = undefined;
  };
  return {
    write: (entry) => {
      if (waiting.length >= 2 * auditQueueMax) {
        return Promise.reject(new Fault("limited", "too much waits for the audit log"));
      }
      const done = Promise.withResolvers<void>();
      waiting.push({ entry, done });
      passing ??= pass();
      return done.promise;
    },
    room: async () => {
      while (waiting.length >= auditQueueMax) await passing;
    },
  };
}
