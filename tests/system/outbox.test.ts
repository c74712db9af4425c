// Events as from an outbox: each until it is marked, in order, and nothing twice while it is under
// way, however many ask.

import { expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import { machinePrincipal } from "#core/model/access";
import { outboxFlightMs, outboxOpenMax } from "#core/model/secret-limits";
import { chain } from "#tests/control/playbooks";
import { onBothStores, onMemory, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";

const publisher = ({ control }: World) =>
  apiClient({ fetch: control.fetchAs(machinePrincipal("publisher")), baseUrl: "http://control" });

/** Executions that have ended; the log has the same events each time. */
async function ended(world: World, count: number): Promise<void> {
  await world.register(chain("t/outbox", 1));
  for (let n = 0; n < count; n++) await world.start("t/outbox");
  await handWorker(world.client).drain();
}

const idsOf = (rows: readonly { readonly outbox_id: string }[]) =>
  rows.map(({ outbox_id: id }) => id);

onBothStores((shelf) => {
  test("events come in the order of the log, each once while it is under way", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await ended(world, 2);
    const client = publisher(world);
    const { pending: all } = await client.pendingCount({ query: {} });
    const first = await client.claimOutbox({ body: { limit: 3 } });
    expect(first.claimed).toBe(3);
    expect(first.rows[0]).toMatchObject({
      subject: expect.stringMatching(/^playbooks\.executions\.\d+\.playbook\.started$/),
      payload: { event_type: "playbook.started", tenant_id: "default" },
      attempts: 1,
    });
    const rest = await client.claimOutbox({ body: { limit: 1_000 } });
    const ids = [...idsOf(first.rows), ...idsOf(rest.rows)];
    expect(new Set(ids).size).toBe(all);
    const log = (await world.stores.feed.after(undefined, { limit: 1_000 })).entries;
    expect(ids).toEqual(log.map(({ event }) => event.event_id));
    expect((await client.claimOutbox({ body: {} })).claimed).toBe(0);
  });

  test("what was marked is gone, and what was lost comes again when its time is up", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await ended(world, 1);
    const client = publisher(world);
    const { rows } = await client.claimOutbox({ body: { limit: 4 } });
    const [a = "", b = "", c = "", d = ""] = idsOf(rows);
    // Not in order: the cursor stays before the first one that is missing.
    expect(await client.markPublished({ body: { outbox_ids: [b, d, "77"] } })).toEqual({
      marked: 2,
    });
    expect(await client.markPublished({ body: { outbox_ids: [b] } })).toEqual({ marked: 0 });
    await shelf().clock.advance(outboxFlightMs - 1);
    expect(idsOf((await client.claimOutbox({ body: { limit: 2 } })).rows)).not.toContain(a);
    await shelf().clock.advance(1);
    const again = await client.claimOutbox({ body: { limit: 2 } });
    expect(again.rows).toMatchObject([
      { outbox_id: a, attempts: 2 },
      { outbox_id: c, attempts: 2 },
    ]);
    await client.markPublished({ body: { outbox_ids: [a, c] } });
    const { pending } = await client.pendingCount({ query: {} });
    const total = (await world.stores.feed.after(undefined, { limit: 1_000 })).entries.length;
    expect(pending).toBe(total - 4);
  });

  test("one that failed comes again after a while that doubles up to its bound", async () => {
    const world = shelf().open({ clock: shelf().clock });
    await ended(world, 1);
    const client = publisher(world);
    const one = async () => (await client.claimOutbox({ body: { limit: 1 } })).rows[0];
    const row = await one();
    const fail = (attempts: number) =>
      client.markFailed({
        body: { outbox_id: row?.outbox_id ?? "", error: "no", attempts, max_delay_seconds: 10 },
      });
    expect(await fail(1)).toEqual({ marked: 1, available_at_in: 1 });
    expect(await fail(3)).toEqual({ marked: 1, available_at_in: 4 });
    expect(await fail(30)).toEqual({ marked: 1, available_at_in: 10 });
    expect((await one())?.outbox_id).not.toBe(row?.outbox_id);
    await shelf().clock.advance(10_000);
    expect(await one()).toMatchObject({ outbox_id: row?.outbox_id, attempts: 2 });
  });

  test("of several that claim at once each event goes to one, over replicas too", async () => {
    const world = shelf().open();
    await ended(world, 3);
    const clients = [world, world.another()].map(publisher);
    const claims = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        (clients[n % 2] ?? publisher(world)).claimOutbox({ body: { limit: 2 } }),
      ),
    );
    const ids = claims.flatMap(({ rows }) => idsOf(rows));
    expect(ids).toHaveLength(12);
    expect(new Set(ids).size).toBe(12);
  });

  test("consumers have nothing to do with each other", async () => {
    const world = shelf().open();
    await ended(world, 1);
    const client = publisher(world);
    const a = await client.claimOutbox({ body: { limit: 2, consumer: "a" } });
    const b = await client.claimOutbox({ body: { limit: 2, consumer: "b" } });
    expect(idsOf(a.rows)).toEqual(idsOf(b.rows));
    const { marked } = await client.markPublished({
      body: { outbox_ids: idsOf(a.rows), consumer: "c" },
    });
    expect(marked).toBe(0);
  });

  test("projections are caught up, and events count once", async () => {
    const world = shelf().open();
    await ended(world, 1);
    const [{ execution_id: id } = { execution_id: "" }] = await world.client.listExecutions({
      query: {},
    });
    const events = [1, 2, 3].map((seq) => ({ execution_id: id, seq, step: "made up" }));
    const client = publisher(world);
    expect(await client.projectEvents({ body: { events } })).toEqual({
      projected: 3,
      duplicates: 0,
    });
    expect(await client.projectEvents({ body: { events } })).toEqual({
      projected: 0,
      duplicates: 3,
    });
    const { projected, head } = await world.client.executionStages({ params: { id }, query: {} });
    expect(projected).toBe(head);
  });
});

onMemory((shelf) => {
  test("a consumer that marks nothing is given no more than so many", async () => {
    const world = shelf().open();
    await world.register(chain("t/outbox", 1));
    for (let n = 0; n < outboxOpenMax / 2; n++) await world.start("t/outbox");
    const client = publisher(world);
    const claims = [
      await client.claimOutbox({ body: { limit: 1_000 } }),
      await client.claimOutbox({ body: { limit: 1_000 } }),
    ];
    expect(claims.map(({ claimed }) => claimed)).toEqual([outboxOpenMax, 0]);
    await client.markPublished({ body: { outbox_ids: idsOf(claims[0]?.rows ?? []) } });
    expect((await client.claimOutbox({ body: { limit: 10 } })).claimed).toBe(10);
  });
});
