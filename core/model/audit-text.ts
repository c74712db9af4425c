// What an entry of the audit log is hashed as: one text for each entry, whatever keeps it.

import { canonicalJson } from "./canonical-json.ts";
import type { JsonObject } from "./json.ts";

/** What of an entry is hashed besides its number and its time. */
export interface HashedAudit {
  readonly actor: string;
  readonly actorKind: string;
  readonly tenant: string;
  readonly action: string;
  readonly object: string;
  readonly outcome: string;
  readonly about?: JsonObject;
}

/** The part of the text that is known before the entry has a number: canonical JSON of its fields. */
export function auditBody(entry: HashedAudit): string {
  const { actor, actorKind, tenant, action, object, outcome, about } = entry;
  return canonicalJson({
    ...{ actor, actor_kind: actorKind, tenant, action, object, outcome },
    ...(about === undefined ? {} : { about }),
  });
}

/** The whole text: the number, the time in milliseconds, and the body, with spaces between. */
export function auditText(seq: number, atMs: number, body: string): string {
  return `${seq} ${atMs} ${body}`;
}
