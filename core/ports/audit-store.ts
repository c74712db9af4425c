// Who did what, in one chain for the whole installation: each entry has the digest of the one before
// it in its own. Entries are added and read, never changed.

import type { JsonObject } from "#core/model/json";

export interface NewAuditEntry {
  /** Who did it: an e-mail address, or the name of a machine. */
  readonly actor: string;
  readonly actorKind: "person" | "machine";
  readonly tenant: string;
  /** `<noun>.<verb>`: `credential.put`. */
  readonly action: string;
  /** `<kind>/<id>`: `credential/warehouse`. */
  readonly object: string;
  readonly outcome: "done" | "refused";
  /** What else is worth knowing; never a secret. */
  readonly about?: JsonObject;
}

export interface AuditEntry extends NewAuditEntry {
  /** Dense from 1. */
  readonly seq: number;
  readonly atMs: number;
  /** The digest of the entry before, hexadecimal. */
  readonly previous: string;
  readonly digest: string;
}

export interface AuditFilter {
  /** Of all tenants without one. */
  readonly tenant?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly object?: string;
  /** Keyset: only entries with a smaller number. */
  readonly before?: number;
  readonly limit: number;
}

export interface AuditStore {
  /** Adds the entries to the chain in one statement and commit. */
  append(entries: readonly NewAuditEntry[]): Promise<readonly AuditEntry[]>;
  /** Newest first. */
  list(filter: AuditFilter): Promise<readonly AuditEntry[]>;
  /** Oldest first, after this number: what a check of the chain reads. */
  after(seq: number, limit: number): Promise<readonly AuditEntry[]>;
}
