// A claim that an outage held up until its worker had given up: what it leases goes back at once.

import { expect, test } from "bun:test";
import { onMemory, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: one, path: t/one}
workflow:
- step: start
  tool: {kind: noop}
`;

/** A claim whose worker no longer listens when the leases are there. */
async function unheardClaim(world: World, leaving: AbortController): Promise<void> {
  const request = new Request("http://control/api/commands/claim", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ worker: "w1", pools: ["default"], want: 1 }),
    signal: leaving.signal,
  });
  await world.control.fetch(request);
}

onMemory((shelf) => {
  test("what a claim leased for a worker that is gone, another worker gets as the same attempt", async () => {
    const leaving = new AbortController();
    const world = shelf().open({
      wrap: ({ log }) => ({
        log: {
          ...log,
          claim: async (work) => {
            const rows = await log.claim(work);
            if (work.worker === "w1") leaving.abort();
            return rows;
          },
        },
      }),
    });
    await world.register(playbook);
    await world.start("t/one");
    await unheardClaim(world, leaving);

    expect(leaving.signal.aborted).toBe(true);
    expect(await handWorker(world.client, "w2").claim()).toMatchObject([{ attempt: 1 }]);
  });
});
