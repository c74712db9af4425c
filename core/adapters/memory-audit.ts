// The audit log in memory: the reference implementation of the port, for tests and runs that keep
// nothing.

import { createHash } from "node:crypto";
import { auditBody, auditText } from "#core/model/audit-text";
import { chainDigest, genesisDigest } from "#core/model/codec";
import type { AuditEntry, AuditFilter, AuditStore, NewAuditEntry } from "#core/ports/audit-store";
import type { Clock } from "#core/ports/clock";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** No entries yet; their time is the given clock's. */
export function memoryAudit(clock: Pick<Clock, "nowMs">): AuditStore {
  const entries: AuditEntry[] = [];
  const add = (entry: NewAuditEntry): AuditEntry => {
    const previous = entries.at(-1)?.digest ?? genesisDigest;
    const seq = entries.length + 1;
    const atMs = Math.trunc(clock.nowMs());
    const digest = chainDigest(previous, auditText(seq, atMs, auditBody(entry)), sha256);
    const added = { ...entry, seq, atMs, previous, digest };
    entries.push(added);
    return added;
  };
  return {
    append: async (news) => news.map(add),
    list: async (filter) =>
      entries
        .filter((entry) => isAsked(entry, filter))
        .reverse()
        .slice(0, filter.limit),
    after: async (seq, limit) => entries.slice(seq, seq + limit),
  };
}

function isAsked(entry: AuditEntry, filter: AuditFilter): boolean {
  const { before = Number.POSITIVE_INFINITY } = filter;
  const parts = ["tenant", "actor", "action", "object"] as const;
  return (
    entry.seq < before &&
    parts.every((part) => filter[part] === undefined || filter[part] === entry[part])
  );
}
