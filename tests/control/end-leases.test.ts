// A process that opens a data directory is alone with it: the leases of the one before end at once.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sqlEventLog } from "#control/store/event-log";
import { endLeases } from "#control/store/pglite";
import type { Sql } from "#control/store/sql";
import { leaseMs } from "#core/model/limits";
import { scratchPglite } from "#tests/contract/pglite-world";
import { command, idsOf, startWith } from "#tests/contract/transitions";

const pools = ["default"];
let sql: Sql;
beforeAll(async () => {
  sql = await scratchPglite();
});
afterAll(() => sql.close());

test("leased commands are expired at once; ready ones stay ready", async () => {
  const log = sqlEventLog(sql);
  await startWith(log, (id) => [command(id, "one"), command(id, "two")]);
  const held = idsOf(await log.claim({ worker: "w1", pools, want: 1, leaseMs }));
  expect(held.length).toBe(1);
  expect(
    await log.expire({ limit: 10, againMs: leaseMs, leaseMs, gapMs: leaseMs, workersAreNew: true }),
  ).toEqual([]);

  await endLeases(sql);

  expect(
    idsOf(
      await log.expire({
        limit: 10,
        againMs: leaseMs,
        leaseMs,
        gapMs: leaseMs,
        workersAreNew: true,
      }),
    ),
  ).toEqual(held);
  const rest = idsOf(await log.claim({ worker: "w2", pools, want: 10, leaseMs }));
  expect(rest.length).toBe(1);
  expect(rest).not.toEqual(held);
});
