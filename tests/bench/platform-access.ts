// What it takes to find out who a request is from, and whether it is let in: a token that was read a
// moment ago, one that has to be read, and a check of the audit log's chain.

import { accessOf } from "#control/access/authenticate";
import { createAdmin } from "#control/access/first-admin";
import { tokenCheck } from "#control/access/token-check";
import { verifyAudit } from "#control/access/verify-audit";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import { sqlStores } from "#control/store/stores";
import { systemClock } from "#core/adapters/system-clock";
import type { NewAuditEntry } from "#core/ports/audit-store";
import { type Measurement, median } from "#scripts/bench-figure";
import { sha256 } from "#tests/support/control";
import { startPostgres } from "#tests/support/postgres";

const entries = 20_000;
const batch = 200;

/** The middle one of many, in milliseconds. */
async function middle(count: number, once: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let n = -20; n < count; n++) {
    const from = performance.now();
    await once();
    if (n >= 0) tookMs.push(performance.now() - from);
  }
  return median(tookMs);
}

async function take(quick: boolean): Promise<readonly number[]> {
  const server = await startPostgres();
  const sql = openPostgres(server.url, { connections: 1 });
  try {
    await migrate(sql);
    const stores = sqlStores(sql);
    const { token } = await createAdmin(stores, { email: "ada@example.org" });
    const { people, audit } = stores;
    const clock = systemClock();
    const tokens = tokenCheck({ people, sha256, clock, report: () => {} });
    const settings = { NOETL_ACCESS: "required", NOETL_INTERNAL_API_TOKEN: ["x".repeat(40)] };
    const access = accessOf({
      settings: { ...settings, NOETL_ACCESS: "required" },
      tokens,
      sha256,
      clock,
    });
    const headers = { authorization: `Bearer ${token}` };
    const request = new Request("http://control/api/me", { headers });
    const known = await middle(quick ? 1_000 : 20_000, () => access.authenticate(request));
    const read = await middle(quick ? 100 : 1_000, () => {
      tokens.forget();
      return access.authenticate(request);
    });
    const about = { text: "x".repeat(200) };
    const entry: NewAuditEntry = {
      ...{ actor: "ada@example.org", actorKind: "person", tenant: "default", about },
      ...{ action: "credential.read", object: "credential/warehouse", outcome: "done" },
    };
    const appendMs = await middle(20, () => audit.append([entry]));
    const list = Array.from({ length: batch }, () => entry);
    for (let stored = 0; stored < entries; stored += batch) await audit.append(list);
    const from = performance.now();
    const { count } = await verifyAudit(audit);
    const perSecond = (count / (performance.now() - from)) * 1_000;
    return [known, read, appendMs, perSecond];
  } finally {
    await sql.close();
    await server.stop();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "who asks, of a token in mind, p50", unit: "ms", target: 1, better: "lower" },
      { metric: "who asks, of a token read anew, p50", unit: "ms", target: 5, better: "lower" },
      { metric: "an entry of the audit log, p50", unit: "ms", target: 10, better: "lower" },
      { metric: "entries of the audit log checked", unit: "1/s", target: 20_000, better: "higher" },
    ],
    runs: 3,
    take,
  },
];
