// What secrets cost a command: reading a credential that was read a moment ago, and its whole way to
// a worker and out of its seal, on one control plane with PostgreSQL and all its durability.

import { openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import { fixedKeys } from "#control/secrets/key-ring";
import { sealsOf } from "#control/secrets/sealed";
import { vaultCredentials } from "#control/secrets/source";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { silentBus } from "#core/adapters/silent-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { executionId } from "#core/model/ids";
import { type Measurement, median } from "#scripts/bench-figure";
import { startPostgres } from "#tests/support/postgres";
import { sealingKey } from "#worker/sealing";
import { playbookText } from "./bench-plans.ts";

const path = "asks";
const worker = "bench";
const durable = ["shared_buffers=512MB", "fsync=on", "synchronous_commit=on"];
const warmUp = 200;

/** The middle one of many, in milliseconds. */
async function middle(count: number, once: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let n = -warmUp; n < count; n++) {
    const from = performance.now();
    await once();
    if (n >= 0) tookMs.push(performance.now() - from);
  }
  return median(tookMs);
}

async function takeOn(sql: Sql, count: number): Promise<readonly number[]> {
  await migrate(sql);
  const clock = systemClock();
  const stores = sqlStores(sql);
  const nowMs = (): number => clock.nowMs();
  const seals = sealsOf(fixedKeys(`bench:${btoa("b".repeat(32))}`));
  const next = async () => undefined;
  const credentials = vaultCredentials({ vault: stores.vault, seals, nowMs, next });
  const control = startControl(
    {
      ...{ ...stores, bus: silentBus(), clock, credentials, seals, engineVersion: "bench" },
      ids: snowflakeMint(clock, 1),
      sha256: (text) => Bun.SHA256.hash(text, "hex"),
    },
    { access: openAccess(), report: () => {} },
  );
  try {
    const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
    await client.registerCatalog({
      body: { content: playbookText(path, "- step: only\n  tool: {kind: noop}") },
    });
    const data = { token: "t".repeat(200) };
    await client.putCredential({ body: { name: "api", type: "bearer", data } });
    const { execution_id: id } = await client.execute({ body: { path } });
    const plane = httpControl(client, { sealing: sealingKey() });
    const [command] = await plane.claim({ worker, pools: ["default"], want: 1 });
    if (command === undefined) throw new Error("expected a command to claim");
    const ask = {
      ...{ tenant: "default", path, pool: "default", worker },
      executionId: executionId(id),
    };
    const read = await middle(count, () => credentials("api", ask));
    const renewed = { commandId: command.command_id, attempt: command.attempt };
    const lease = await middle(count, () => plane.renew(worker, [renewed]));
    const whole = await middle(count, () => plane.credential(worker, command.command_id, "api"));
    return [read, whole, whole - lease];
  } finally {
    await control.stop();
  }
}

async function take(quick: boolean): Promise<readonly number[]> {
  const server = await startPostgres({ settings: durable });
  const sql = openPostgres(server.url, { connections: 4 });
  try {
    return await takeOn(sql, quick ? 50 : 1_000);
  } finally {
    await sql.close();
    await server.stop();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "credential read a moment ago, p50", unit: "ms", target: 1, better: "lower" },
      { metric: "credential on its way to a worker, p50", unit: "ms", target: 3, better: "lower" },
      { metric: "the same, without its look at the lease", unit: "ms", target: 1, better: "lower" },
    ],
    runs: 3,
    take,
  },
];
