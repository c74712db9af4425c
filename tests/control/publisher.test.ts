// The publisher: whatever dies, goes away or is lost, the mirror comes to hold the whole log.
import { describe, expect, test } from "bun:test";
import { type PublisherPorts, publisher, publisherRole } from "#control/roles/publisher";
import { memoryCursors } from "#core/adapters/memory-cursors";
import { type MemoryMirror, memoryMirror } from "#core/adapters/memory-mirror";
import { systemClock } from "#core/adapters/system-clock";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { mirrorMessageBytesMax } from "#core/model/limits";
import { shardOf } from "#core/model/shards";
import type { CursorStore } from "#core/ports/cursor-store";
import type { EventMirror } from "#core/ports/event-mirror";
import { eventually, onBothStores, type Shelf, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const clock = systemClock();
const hourMs = 3_600_000;
let owners = 0;

/** A fresh cursor for each test: the stores of PGlite keep theirs from one test to the next. */
function scene(shelf: Shelf, mirror: MemoryMirror = memoryMirror(hourMs)) {
  const world = shelf.open();
  const reports: string[] = [];
  const ports: PublisherPorts = {
    log: world.stores.log,
    feed: world.stores.feed,
    cursors: memoryCursors(clock),
    clock,
    mirror,
  };
  const begin = (parts: Partial<PublisherPorts> = {}) =>
    publisher(
      { ...ports, ...parts },
      {
        owner: `p${++owners}`,
        report: (message) => void reports.push(message),
        leaseMs: 90,
        pollMs: 5,
      },
    );
  return { world, mirror, ports, reports, begin };
}

async function ended(world: World): Promise<ExecutionId> {
  await world.register(chain("t/mirror", 2));
  const id = await world.start("t/mirror");
  await handWorker(world.client).drain();
  return id;
}

interface Body {
  readonly execution_id: string;
  readonly event_id: string;
  readonly seq: number;
  readonly event_type: string;
  readonly position: string;
}

const bodies = (mirror: MemoryMirror): readonly Body[] =>
  mirror.messages.map(({ body }) => JSON.parse(body));

const seqsOf = (mirror: MemoryMirror, id: ExecutionId): readonly number[] =>
  bodies(mirror)
    .filter((body) => body.execution_id === id)
    .map(({ seq }) => seq);

/** Resolves once the mirror has all of an execution's log, in order. */
async function mirrored(world: World, mirror: MemoryMirror, id: ExecutionId): Promise<void> {
  const all = (await world.events(id)).map(({ seq }) => seq);
  await eventually(async () => (seqsOf(mirror, id).length >= all.length ? true : undefined));
  expect(seqsOf(mirror, id)).toEqual(all);
}

onBothStores((shelf) => {
  describe("the publisher", () => {
    test("mirrors every event once, as an envelope with its place and texts for ids", async () => {
      const { world, mirror, begin } = scene(shelf());
      const role = begin();
      const id = await ended(world);
      await mirrored(world, mirror, id);
      await role.stop();
      const [first] = mirror.messages.filter(({ body }) => body.includes(id));
      expect(first?.subject).toBe(`noetl.events.default.default.${id}.${shardOf(id)}`);
      expect(JSON.parse(first?.body ?? "")).toMatchObject({
        execution_id: id,
        event_id: first?.id,
        event_type: "playbook.started",
        seq: 1,
        tenant_id: "default",
        stream_id: `execution/${id}`,
        position: expect.any(String),
      });
      expect(mirror.received).toHaveLength(mirror.messages.length);
      const places = bodies(mirror).map(({ event_id: event }) => event);
      expect(new Set(places).size).toBe(places.length);
    });

    test("goes on where another has stopped, and writes nothing twice", async () => {
      const { world, mirror, begin } = scene(shelf());
      const first = begin();
      await mirrored(world, mirror, await ended(world));
      await first.stop();
      const later = await ended(world);
      const second = begin();
      await mirrored(world, mirror, later);
      await second.stop();
      expect(mirror.received).toHaveLength(mirror.messages.length);
    });

    test("writes again what it had written when it died before it could note it", async () => {
      const { world, mirror, ports, begin } = scene(shelf());
      const dying: CursorStore = { ...ports.cursors, advance: () => new Promise(() => {}) };
      const id = await ended(world);
      void begin({ cursors: { ...dying, renew: () => new Promise(() => {}) } });
      await eventually(async () => (mirror.received.length > 0 ? true : undefined));
      const next = begin();
      const events = (await world.events(id)).length;
      await eventually(async () => (mirror.received.length >= 2 * events ? true : undefined));
      await mirrored(world, mirror, id);
      await next.stop();
    });

    test("waits for a mirror that is out of reach, says so once, and leaves nothing out", async () => {
      const { world, mirror, reports, begin } = scene(shelf());
      mirror.setAway(true);
      const role = begin();
      const id = await ended(world);
      await eventually(async () => (reports.length > 0 ? true : undefined));
      mirror.setAway(false);
      await mirrored(world, mirror, id);
      await role.stop();
      expect(reports).toEqual(["publisher: the mirror is out of reach"]);
    });

    test("writes a mirror again that was lost, also one lost before anything new came", async () => {
      const { world, mirror, begin } = scene(shelf());
      const role = begin();
      const id = await ended(world);
      await mirrored(world, mirror, id);
      mirror.lose();
      expect(mirror.messages).toEqual([]);
      await mirrored(world, mirror, id);
      await role.stop();
    });

    test("publishes a batch again of which it is not known whether it was kept", async () => {
      const { world, mirror, begin } = scene(shelf());
      let failures = 1;
      const flaky: EventMirror = {
        ...mirror,
        publish: async (batch) => {
          await mirror.publish(batch.slice(0, 2));
          if (failures-- > 0) throw new Fault("unavailable", "no answer");
          await mirror.publish(batch.slice(2));
        },
      };
      const id = await ended(world);
      const role = begin({ mirror: flaky });
      await mirrored(world, mirror, id);
      await role.stop();
    });

    test("begins a mirror with what it would still keep", async () => {
      const { world, mirror, ports, begin } = scene(shelf(), memoryMirror(0));
      const old = await ended(world);
      await clock.sleep(2);
      const role = begin();
      await eventually(async () => {
        const [cursor] = await ports.cursors.list();
        return cursor?.position === undefined ? undefined : true;
      });
      const id = await ended(world);
      await mirrored(world, mirror, id);
      await role.stop();
      expect(seqsOf(mirror, old)).toEqual([]);
      expect((await ports.cursors.list()).map(({ name }) => name)).toEqual([publisherRole]);
    });

    test("tells an event that is too large for a message without its data", async () => {
      const { world, mirror, begin } = scene(shelf());
      await world.register(chain("t/mirror", 1));
      const id = await world.start("t/mirror");
      const variables = Object.fromEntries(
        Array.from({ length: 20 }, (_, n) => [`v${n}`, "x".repeat(90_000)]),
      );
      await world.client.setVariables({ params: { id }, body: { variables } });
      const role = begin();
      await mirrored(world, mirror, id);
      await role.stop();
      const set = bodies(mirror).find(({ event_type: type }) => type === "vars.set");
      expect(set).toMatchObject({
        context: {},
        payload_ref: `noetl://execution/${id}/event/${set?.seq}`,
      });
      for (const { body } of mirror.messages) {
        expect(body.length).toBeLessThan(mirrorMessageBytesMax);
      }
    });
  });
});
