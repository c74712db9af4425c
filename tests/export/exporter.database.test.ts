// The same role over a database, with its own cursor: one process dies with a page half told, and the
// next goes on.

import { describe, expect, test } from "bun:test";
import { exportRole } from "#control/export/exporter";
import type { Ask } from "#control/export/sink";
import { systemClock } from "#core/adapters/system-clock";
import { loop } from "#tests/control/playbooks";
import { eventually, onPglite } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { cutOff, plainSink, taken } from "./telling.ts";

const clock = systemClock();

onPglite((shelf) => {
  describe("a process that tells a place of the log", () => {
    test("dies after a request, and another tells the rest, that page twice", async () => {
      const world = shelf().open();
      await world.register(loop("t/told", 4));
      await world.start("t/told", { items: [1, 2, 3, 4, 5] });
      await handWorker(world.client).drain(() => 1);
      const { log, feed, cursors } = world.stores;
      const bodies: string[] = [];
      const ask: Ask = async ({ body }) => {
        bodies.push(body);
        return taken;
      };
      const begin = (owner: string, over: typeof cursors, asking: Ask) =>
        exportRole({ log, feed, cursors: over, clock }, plainSink("database"), {
          ...{ owner, report: () => {}, from: "begin", leaseMs: 90, pageEvents: 7 },
          ask: () => asking,
        });
      const dying = cutOff({ at: 2, when: "after" }, ask, cursors);
      begin("one", dying.cursors, dying.ask);
      await eventually(async () => (dying.wasCut() ? true : undefined));

      const next = begin("two", cursors, ask);
      const { entries } = await feed.after(undefined, { limit: 1_000 });
      const end = await feed.end();
      await eventually(async () => {
        const known = (await cursors.list()).find(({ name }) => name === "export:database");
        return known?.position?.includes(`"${end}"`) === true ? true : undefined;
      });
      await next.stop();

      const all = entries.map(({ event }) => `${event.execution_id}:${event.seq}:${event.type}`);
      const told = bodies.flatMap((body) => body.split("\n"));
      expect(told).toEqual([...all.slice(0, 14), ...all.slice(7)]);
    });
  });
});
