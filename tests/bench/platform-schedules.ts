// How late schedules are: ten thousand on one tick, and spread over a minute, on one control plane
// with PostgreSQL and all its durability. An execution counts as started once its tick is written down.

import { openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import { ticker } from "#control/schedules/ticker";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { apiClient } from "#core/adapters/api-client";
import { silentBus } from "#core/adapters/silent-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import type { Stores } from "#core/ports/stores";
import type { Measurement } from "#scripts/bench-figure";
import { startPostgres } from "#tests/support/postgres";
import { playbookText } from "./bench-plans.ts";

const daySeconds = 86_400;
const path = "scheduled";
const lanes = 64;
const durable = [
  ...["shared_buffers=512MB", "max_wal_size=4GB"],
  ...["fsync=on", "synchronous_commit=on", "full_page_writes=on"],
];

interface Load {
  readonly stores: Stores;
  readonly count: number;
  readonly leadMs: number;
  /** Between the first and the last tick. */
  readonly spreadMs: number;
}

/** Schedules with one tick each, the first of which comes after the lead. */
async function schedule({ stores, count, leadMs, spreadMs }: Load): Promise<void> {
  const ids = snowflakeMint(systemClock(), 1_001);
  const nowMs = await stores.schedules.nowMs();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const tickMs = nowMs + leadMs + Math.floor((n / count) * spreadMs);
      await stores.schedules.put({
        ...{ scheduleId: ids.catalogId(), tenant: "default", name: `${leadMs} ${n}`, path },
        ...{ when: { kind: "interval", intervalSeconds: daySeconds }, timezone: "UTC" },
        ...{ startsAtMs: tickMs, jitterSeconds: 0, overlap: "skip", catchUp: 1, workload: { n } },
        ...{ enabled: true, nextAtMs: tickMs, nextTickMs: tickMs, createdAtMs: nowMs },
      });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

interface Found {
  readonly started: number;
  readonly worst_ms: number | null;
  readonly began_ms: number | null;
}

async function found(sql: Sql): Promise<Found> {
  const [row] = await sql.query<Found>(`select count(*)::integer as started,
    (max(extract(epoch from at - tick)) * 1000)::float8 as worst_ms,
    (min(extract(epoch from at - tick)) * 1000)::float8 as began_ms
    from noetl.schedule_tick where outcome = 'started'`);
  return row ?? { started: 0, worst_ms: null, began_ms: null };
}

/** The worst lag in seconds. @throws Error where not all were started. */
async function worstLag(sql: Sql, load: Omit<Load, "stores">): Promise<number> {
  const stores = sqlStores(sql);
  await sql.query("delete from noetl.schedule");
  await schedule({ ...load, stores });
  const untilMs = Date.now() + load.leadMs + load.spreadMs + 60_000;
  for (;;) {
    await Bun.sleep(500);
    const { started, worst_ms: worst } = await found(sql);
    if (started === load.count) return (worst ?? 0) / 1_000;
    if (Date.now() > untilMs) throw new Error(`${started} of ${load.count} were started`);
  }
}

async function take(quick: boolean): Promise<readonly number[]> {
  const count = quick ? 1_000 : 10_000;
  const spreadMs = quick ? 10_000 : 60_000;
  // As long as making the schedules takes, and some more.
  const leadMs = 5_000 + count * 2;
  const server = await startPostgres({ settings: durable });
  const sql = openPostgres(server.url, { connections: 10 });
  try {
    await migrate(sql);
    const clock = systemClock();
    const report = (message: string): void => console.error(message);
    const control = startControl(
      {
        ...sqlStores(sql),
        ...{ bus: silentBus(), clock, ids: snowflakeMint(clock, 1), engineVersion: "bench" },
        sha256: (text) => Bun.SHA256.hash(text, "hex"),
        credentials: async () => undefined,
      },
      { access: openAccess(), report },
    );
    const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
    const content = playbookText(path, "- step: only\n  tool: {kind: noop}");
    await client.registerCatalog({ body: { content } });
    const role = ticker(control.executions, { owner: "bench", report });
    try {
      const together = await worstLag(sql, { count, leadMs, spreadMs: 0 });
      return [together, await worstLag(sql, { count, leadMs, spreadMs })];
    } finally {
      await role.stop();
      await control.stop();
    }
  } finally {
    await sql.close();
    await server.stop();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "10,000 schedules on one tick, the last", unit: "s", target: 5, better: "lower" },
      { metric: "10,000 over a minute, the latest", unit: "s", target: 1, better: "lower" },
    ],
    runs: 1,
    take,
  },
];
