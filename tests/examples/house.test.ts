// The house that embedded tests run in tells how a run ended, whichever way, on both stores.

import { afterEach, expect, test } from "bun:test";
import { type House, type HouseOptions, startHouse } from "#tests/support/embedded";

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: sum, path: tests/sum}
workload: {left: 1, right: 2}
workflow:
  - step: start
    tool:
      kind: javascript
      input: {left: "{{ left }}", right: "{{ right }}"}
      code: |
        if (right === 0) throw new RangeError("zero");
        while (right < 0);
        return left + right;
`;

const houses: House[] = [];

afterEach(async () => {
  await Promise.all(houses.splice(0).map((house) => house.close()));
});

async function open(options: HouseOptions = {}): Promise<House> {
  const house = await startHouse({ playbooks: [playbook], ...options });
  houses.push(house);
  return house;
}

for (const store of ["memory", "pglite"] as const) {
  test(`a run on ${store} gives its status, result, steps and whole log`, async () => {
    const house = await open({ store });
    const run = await house.run("tests/sum", { right: 40 });
    expect(run).toMatchObject({ status: "completed", result: 41, error: undefined });
    expect(run.steps).toEqual({ start: { status: "completed", visits: 1 } });
    expect(run.events.map(({ seq }) => seq)).toEqual(run.events.map((_, index) => index + 1));
    expect(run.events[0]?.type).toBe("playbook.started");
    expect(run.events.at(-1)?.type).toBe("playbook.completed");
  });
}

test("a failed run gives its error", async () => {
  const run = await (await open()).run("tests/sum", { right: 0 });
  expect(run).toMatchObject({ status: "failed", result: undefined });
  expect(run.error).toContain("RangeError: zero");
});

test("a cancelled run ends, though its tool never would", async () => {
  const house = await open();
  const id = await house.start("tests/sum", { right: -1 });
  await house.client.cancelExecution({ params: { id }, body: {} });
  expect(await house.ended(id)).toMatchObject({ status: "cancelled", executionId: id });
});

test("runs at the same time keep to themselves", async () => {
  const house = await open({ slots: 2 });
  const runs = await Promise.all([10, 20, 30].map((right) => house.run("tests/sum", { right })));
  expect(runs.map(({ result }) => result)).toEqual([11, 21, 31]);
});

test("a playbook that is no good, and an execution that does not exist, are said so", async () => {
  const house = await open();
  await expect(house.register("apiVersion: noetl.io/v2")).rejects.toThrow("problems");
  await expect(house.run("tests/nothing")).rejects.toThrow("tests/nothing");
  await expect(startHouse({ playbooks: ["nonsense"] })).rejects.toThrow();
});
