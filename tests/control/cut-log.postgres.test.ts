// A log that was restored with the end of an append missing, between a command that waits and what
// it waits for: appends never end there, the execution can't go on, and verification says so.

import { expect, test } from "bun:test";
import { rebuildExecution } from "#control/services/rebuild";
import { verifyExecution } from "#control/services/verify";
import { verifyLog } from "#core/engine/verify";
import { executionId } from "#core/model/ids";
import { postgresWorld } from "#tests/contract/postgres-world";
import { onDatabase } from "#tests/support/control";

const playbook = (name: string, tool: string): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: t/${name}}
workflow:
- step: start
  tool: {${tool}}
`;

const database = postgresWorld();

onDatabase("PostgreSQL", database.open, (shelf) => {
  const sql = async (text: string): Promise<void> => void (await shelf().sql?.query(text));

  test.each([
    ["wait", "kind: wait, for: timer, seconds: 3600"],
    ["playbook", "kind: playbook, path: t/wait, return_step: start"],
  ])(
    "a %s without what it waits for is told, by the log alone too, and left by a rebuild",
    async (kind, tool) => {
      const world = shelf().open();
      await world.register(playbook("wait", "kind: wait, for: timer, seconds: 3600"));
      await world.register(playbook(kind, tool));
      const id = await world.start(`t/${kind}`);
      const { context } = world.control.executions;
      expect((await verifyExecution(context, id)).problems).toEqual([]);
      await world.control.stop();

      const own = `execution_id = ${id}`;
      await sql(`delete from noetl.event where ${own} and seq > 3`);
      await sql(
        `update noetl.execution set head = 3,
         digest = (select digest from noetl.event where ${own} and seq = 3) where ${own}`,
      );

      const missing = "was issued, what it waits for is missing";
      const cut = `the log is cut after event 3: command ${id}:start:1 (${kind}) ${missing}`;
      expect((await verifyExecution(context, id)).problems).toContain(cut);
      const rebuilt = await rebuildExecution(context, id, { projections: true, repair: true });
      expect(rebuilt.problems).toEqual([cut]);
      const lines = await context.log.events(id, 0, 10);
      const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
      expect(verifyLog(executionId(id), lines, sha256).problems).toEqual([cut]);
    },
    30_000,
  );
});
