// Whether the audit log is whole: every entry has its place, its predecessor's digest, and its own.

import { createHash } from "node:crypto";
import { auditPageMax } from "#core/model/access-limits";
import { auditBody, auditText } from "#core/model/audit-text";
import { chainDigest, genesisDigest, type Sha256 } from "#core/model/codec";
import type { AuditStore } from "#core/ports/audit-store";

export interface AuditProblem {
  readonly seq: number;
  readonly message: string;
}

export interface AuditVerdict {
  readonly count: number;
  /** Of the last entry; of nothing, for an empty log, the digest before the first one. */
  readonly headDigest: string;
  readonly problems: readonly AuditProblem[];
}

const sha256Hex: Sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Problems that are told; a log with more is as broken. */
const problemsMax = 100;

/** Reads all of it, some at a time. */
export async function verifyAudit(
  store: Pick<AuditStore, "after">,
  sha256: Sha256 = sha256Hex,
): Promise<AuditVerdict> {
  const problems: AuditProblem[] = [];
  const tell = (seq: number, message: string): void => {
    if (problems.length < problemsMax) problems.push({ seq, message });
  };
  let [count, last, previous] = [0, 0, genesisDigest];
  for (;;) {
    const page = await store.after(last, auditPageMax);
    for (const entry of page) {
      const { seq, atMs, digest } = entry;
      if (seq !== last + 1) tell(last + 1, `expected entry ${last + 1}, found ${seq}`);
      // After a gap there is nothing to compare with: the gap is told already.
      else if (entry.previous !== previous) tell(seq, "it does not follow the entry before it");
      const own = chainDigest(entry.previous, auditText(seq, atMs, auditBody(entry)), sha256);
      if (own !== digest) tell(seq, "its digest is not that of what it says");
      [last, previous, count] = [seq, digest, count + 1];
    }
    if (page.length < auditPageMax) return { count, headDigest: previous, problems };
  }
}
