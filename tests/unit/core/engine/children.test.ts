// Sub-playbooks as the parent's log tells of them.

import { describe, expect, test } from "bun:test";
import { childOutput } from "#core/engine/children";
import { catalogKey } from "#core/engine/facts";
import type { ChildDone } from "#core/model/event";
import { EngineRun, planOf } from "#tests/support/engine";

const playbook = (fields: string): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  tool: {kind: playbook, path: child/one, ${fields}}
  next: {arcs: [{step: after}]}
- step: after
  tool: {kind: noop, message: "{{ start }}"}
`;

function started(fields: string, known = true): EngineRun {
  const run = new EngineRun(planOf(playbook(fields)));
  const child = { catalogId: "500", path: "child/one", version: 4 };
  run.catalog.set(catalogKey({ path: "child/one" }), known ? child : null);
  return run.start({ who: "Ada" });
}

const child = (run: EngineRun) => {
  const event = run.log.find(({ event }) => event.type === "child.started")?.event;
  if (event?.type !== "child.started") throw new Error("no child was started");
  return event;
};

describe("a sub-playbook", () => {
  test("is pinned to its version and given its rendered input", () => {
    const run = started('input: {name: "{{ who }}"}, return_result: true');
    expect(child(run)).toMatchObject({
      catalog_id: "500",
      version: 4,
      awaited: true,
      workload: { name: "Ada" },
    });
    expect(run.open).toEqual([]);
  });
  test("that nobody waits for settles at once with its id", () => {
    const run = started("input: {}");
    const { child_id } = child(run);
    expect(run.open.map(({ event }) => event.input?.fields)).toEqual([
      {
        "/0/message": { status: "started", execution_id: child_id, path: "child/one", async: true },
      },
    ]);
  });
  test("that is awaited holds the step until its end is told", () => {
    const run = started("return_result: true");
    expect(run.story().at(-1)).toBe("child.started");
    const { child_id, command_id } = child(run);
    const done: ChildDone = {
      type: "child.done",
      command_id,
      child_id,
      status: "completed",
      result: { total: 3 },
    };
    const output = childOutput(done, "child/one");
    run.tell(done, { type: "call.done", command_id, attempt: 1, output, duration_ms: 0 });
    expect(run.open.map(({ event }) => event.input?.fields)).toEqual([
      { "/0/message": { total: 3 } },
    ]);
  });
  test("that fails makes its step fail, and says what failed", () => {
    const run = started("return_step: end");
    const { child_id, command_id } = child(run);
    const done: ChildDone = {
      type: "child.done",
      command_id,
      child_id,
      status: "failed",
      error: { kind: "http", message: "HTTP 500", retryable: true },
    };
    const output = childOutput(done, "child/one");
    run.tell(done, { type: "call.error", command_id, attempt: 1, output, duration_ms: 0 });
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "playbook", code: "failed" },
    });
    expect(JSON.stringify(run.log.at(-1)?.event)).toContain("HTTP 500");
  });
  test("that is not in the catalog fails its step", () => {
    const run = started("return_result: true", false);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "playbook", code: "not_found" },
    });
  });
  test("nested too deep is refused", () => {
    const run = new EngineRun(planOf(playbook("return_result: true")));
    run.catalog.set(catalogKey({ path: "child/one" }), {
      catalogId: "500",
      path: "child/one",
      version: 1,
    });
    run.tell({
      type: "playbook.started",
      catalog_id: "1" as never,
      path: "t",
      version: 1,
      plan_digest: "d",
      engine_version: "test",
      workload: {},
      parent: { execution_id: "9" as never, command_id: "9:x:1" as never, depth: 32 },
    });
    expect(run.log.at(-1)?.event).toMatchObject({ type: "playbook.failed" });
    expect(JSON.stringify(run.log.at(-1)?.event)).toContain("nested 33 deep");
  });
});
