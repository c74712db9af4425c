// `noetl verify --all`, `replay` and `rebuild` against a control plane, as their users see them.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { ExecutionId } from "#core/model/ids";
import type { HeldRow } from "#core/ports/log-repair";
import { chain } from "#tests/control/playbooks";
import { onMemory, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { noetl, type Workplace, workplace } from "./noetl.ts";

let place: Workplace;
beforeAll(() => {
  place = workplace();
});
afterAll(() => place.remove());

let servers: { stop(closeNow: boolean): unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
  servers = [];
});

onMemory((shelf) => {
  const served = (world: World) => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: world.control.fetch });
    servers.push(server);
    const address = `http://127.0.0.1:${server.port}`;
    return (...argv: string[]) => noetl([...argv, "--server", address], { cwd: place.folder });
  };

  const filled = async (count = 3) => {
    /** What the store says of command rows, as if somebody had been at them. */
    const lost = new Set<ExecutionId>();
    const world = shelf().open({
      wrap: ({ repair }) => ({
        repair: {
          ...repair,
          rowsOf: async (id): Promise<readonly HeldRow[]> =>
            lost.has(id) ? [] : repair.rowsOf(id),
          repair: async (asked) => {
            lost.delete(asked.row.executionId);
            return repair.repair(asked);
          },
        },
      }),
    });
    await world.register(chain("t/chain", 2));
    const ids: ExecutionId[] = [];
    for (let turn = 0; turn < count; turn++) ids.push(await world.start("t/chain"));
    await handWorker(world.client).drain();
    const running = await world.start("t/chain");
    return { world, ids, running, lost, run: served(world) };
  };

  describe("noetl verify --all", () => {
    test("says of a whole database how much there is, and gives one digest for it", async () => {
      const { run, world } = await filled();
      const { exitCode, out } = await run("verify", "--all");
      const [first, second] = out.trimEnd().split("\n");
      expect([exitCode, first]).toEqual([0, "4 executions, 33 events: whole"]);
      expect(second).toMatch(/^digest over all heads: [0-9a-f]{64}$/);
      const again = await run("verify", "--all");
      expect(again.out).toBe(out);
      await handWorker(world.client).drain();
      expect((await run("verify", "--all")).out).not.toContain(second ?? "");
    }, 60_000);

    test("names every difference, gives it as JSON, and ends with 1", async () => {
      const { run, running, lost } = await filled();
      lost.add(running);
      const problem = `command ${running}:s1:1 is open and has no row`;
      const { exitCode, out } = await run("verify", "--all");
      expect([exitCode, out.split("\n")[0]]).toEqual([1, `${running}: ${problem}`]);
      expect(out).toContain("4 executions, 33 events: 1 problems");
      const json = await run("verify", "--all", "--json");
      expect(json.exitCode).toBe(1);
      expect(JSON.parse(json.out)).toMatchObject({
        executions: 4,
        events: 33,
        problems: [{ execution_id: running, problem }],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        last: running,
      });
      const one = await run("verify", running);
      expect([one.exitCode, one.out]).toEqual([1, `${running}: ${problem}\n`]);
    }, 60_000);

    test("goes on after an execution, and over more than one page", async () => {
      const { run, ids } = await filled(120);
      expect((await run("verify", "--all")).out).toContain("121 executions, 1203 events: whole");
      const rest = await run("verify", "--all", "--after", ids[117] ?? "");
      expect(rest.out).toContain("3 executions, 23 events: whole");
    }, 60_000);

    test("refuses a command line that asks for two things, or for none", async () => {
      const { run, running } = await filled(1);
      for (const argv of [
        ["verify"],
        ["verify", "--all", running],
        ["verify", "--all", "--after", "x"],
      ]) {
        expect((await run(...argv)).exitCode).toBe(2);
      }
      for (const argv of [
        ["rebuild"],
        ["rebuild", "--all", running],
        ["rebuild", "x"],
        ["replay", "x"],
      ]) {
        expect((await run(...argv)).exitCode).toBe(2);
      }
    }, 60_000);
  });

  test("noetl rebuild puts right what verify found, and says what that was", async () => {
    const { run, running, lost } = await filled();
    lost.add(running);
    const { exitCode, out } = await run("rebuild", "--all");
    expect(out.trimEnd().split("\n")).toEqual([
      `${running}: put right: command ${running}:s1:1 is open and has no row`,
      "4 executions, 1 of them put right or in need of it",
    ]);
    expect(exitCode).toBe(0);
    expect((await run("verify", "--all")).exitCode).toBe(0);
    const named = await run("rebuild", running, "--projections", "--json");
    expect(JSON.parse(named.out)).toEqual({ executions: 1, changed: [] });
  }, 60_000);

  test("noetl replay shows the state as of an event or a time", async () => {
    const { run, ids } = await filled();
    const [id = ""] = ids;
    const then = await run("replay", id, "--seq", "3");
    expect(
      then.out
        .replaceAll(/\d{4}-\S+Z|[0-9a-f]{64}/g, "…")
        .trimEnd()
        .split("\n"),
    ).toEqual([
      `t/chain version 1, execution ${id}`,
      "running at event 3 of 10, …",
      "STEP  STATUS   VISITS",
      "s1    entered  1",
      `open: ${id}:s1:1, attempt 1`,
      "checksum: …",
    ]);
    expect((await run("replay", id)).out).toContain("completed at event 10 of 10");
    const json = await run("replay", id, "--at", "2999-01-01T00:00:00Z", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ execution_id: id, as_of: { seq: 10 } });
    expect((await run("replay", id, "--seq", "zero")).exitCode).toBe(2);
    expect((await run("replay", id, "--at", "2001-01-01")).exitCode).toBe(1);
  }, 60_000);
});
