// What finding something in a large catalog takes: ten thousand paths with ten versions each, on
// PostgreSQL over a connection of its own.

import { sqlCatalog } from "#control/store/catalog";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type Measurement, median } from "#scripts/bench-figure";
import { startPostgres } from "#tests/support/postgres";

const paths = 10_000;
const versions = 10;
const tenant = "default";

/** Playbooks of some size, of which every hundredth is a tool and every fiftieth path is put away. */
const fillSql = `
insert into noetl.catalog
  (catalog_id, tenant, path, version, kind, content, digest, meta, created_at, words, exposed,
   archived_at, listed)
select p * 100 + v, '${tenant}', 'team-' || p % 50 || '/playbook-' || p, v, 'Playbook',
  repeat('- step: one of many\\n', 100), sha256(convert_to(p || ' ' || v, 'utf8')),
  '{"name": "playbook"}', now(), 'team-' || p % 50 || '/playbook-' || p || ' reads and writes',
  p % 100 = 0, case when p % 50 = 7 then now() end,
  v = ${versions}
from generate_series(1, ${paths}) p, generate_series(1, ${versions}) v`;

/** The middle one of many, in milliseconds. */
async function middle(count: number, once: (n: number) => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let n = -20; n < count; n++) {
    const from = performance.now();
    await once(Math.abs(n));
    if (n >= 0) tookMs.push(performance.now() - from);
  }
  return median(tookMs);
}

async function takeOn(sql: Sql, count: number): Promise<readonly number[]> {
  await migrate(sql);
  await sql.query(fillSql);
  await sql.query("analyze noetl.catalog");
  const catalog = sqlCatalog(sql);
  const pathOf = (n: number): string => `team-${(n * 37) % 50}/playbook-${(n * 37) % paths}`;
  return [
    await middle(count, (n) => catalog.byPath(tenant, pathOf(n))),
    await middle(count, (n) => catalog.list({ tenant, after: pathOf(n), limit: 100 })),
    await middle(count / 10, (n) =>
      catalog.list({ tenant, terms: [`playbook-${n * 37}`, "writes"], limit: 100 }),
    ),
    await middle(count / 10, () => catalog.list({ tenant, isExposed: true, limit: 1_000 })),
  ];
}

async function take(quick: boolean): Promise<readonly number[]> {
  const server = await startPostgres({ settings: ["shared_buffers=512MB"] });
  const sql = openPostgres(server.url, { connections: 1 });
  try {
    return await takeOn(sql, quick ? 100 : 1_000);
  } finally {
    await sql.close();
    await server.stop();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "newest version of a path, p50", unit: "ms", target: 1, better: "lower" },
      { metric: "page of 100 of 10,000 paths, p50", unit: "ms", target: 10, better: "lower" },
      { metric: "search over 10,000 paths, p50", unit: "ms", target: 100, better: "lower" },
      { metric: "all tools of 10,000 paths, p50", unit: "ms", target: 10, better: "lower" },
    ],
    runs: 3,
    take,
  },
];
