// One start for one key, however many ask at once, and whoever dies in between.

import { expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import { postgresWorld } from "#tests/contract/postgres-world";
import { onDatabase, type World } from "#tests/support/control";
import { chain } from "./playbooks.ts";

const path = "t/starts";
const database = postgresWorld();

const post = async ({ control }: World, body: unknown) => {
  const init = { method: "POST", body: JSON.stringify(body) };
  const answer = await control.fetch(new Request("http://control/api/execute", init));
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

onDatabase("PostgreSQL", database.openCopy, (shelf) => {
  test("of fifty that come at once with one key one starts it", async () => {
    const world = shelf().open();
    await world.register(chain(path, 1));
    const replicas = [world, world.another(), world.another()];
    const told = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        post(replicas[n % 3] ?? world, { path, dedup: { key: "one" } }),
      ),
    );
    expect(new Set(told.map(({ body }) => body.execution_id)).size).toBe(1);
    const having = (status: string) => told.filter(({ body }) => body.status === status).length;
    expect([having("started"), having("duplicate")]).toEqual([1, 49]);
    expect(await world.stores.log.executions({ limit: 9 })).toHaveLength(1);
  });

  test("a process that dies between the key and the start leaves it to the next", async () => {
    const world = shelf().open();
    await world.register(chain(path, 1));
    let dies = true;
    const dying = world.another({
      wrap: ({ log }) => ({
        log: {
          ...log,
          append: async (transitions) => {
            if (!dies) return log.append(transitions);
            dies = false;
            throw new Fault("internal", "the process died");
          },
        },
      }),
    });
    expect((await post(dying, { path, dedup: { key: "one" } })).status).toBe(500);
    expect((await post(world, { path, dedup: { key: "one" } })).body.status).toBe("started");
    expect((await post(world, { path, dedup: { key: "one" } })).body.status).toBe("duplicate");
  });
});
