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
  for (const key of [{ path: "child/one" }, { path: "child/one", version: 4 }]) {
    run.catalog.set(catalogKey(key), known ? child : null);
  }
  return run.start({ who: "Ada" });
}

const child = (run: EngineRun) => {
  const event = run.log.find(({ event }) => event.type === "child.started")?.event;
  if (event?.type !== "child.started") throw new Error("no child was started");
  return event;
};

const outputOf = (run: EngineRun, done: ChildDone) => {
  const call = run.state.commands.get(done.command_id)?.child;
  if (call === undefined) throw new Error("expected an open child");
  return childOutput(done, call, run.nowMs);
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
    const output = outputOf(run, done);
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
    const output = outputOf(run, done);
    run.tell(done, { type: "call.error", command_id, attempt: 1, output, duration_ms: 0 });
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "playbook", code: "failed" },
    });
    expect(JSON.stringify(run.log.at(-1)?.event)).toContain("HTTP 500");
  });
  test("given back as its status shows its result, and what is known of it", () => {
    const run = started("return_step: end");
    const { child_id, command_id } = child(run);
    expect(child(run).as).toBe("status");
    const progress = {
      ...{ total_steps: 2, completed_steps: 2, running_steps: 0, failed_steps: 0 },
    };
    const done: ChildDone = {
      ...{ type: "child.done", command_id, child_id, status: "completed", progress },
      ...{ result: { total: 3, status: "mine" }, current_step: "end" },
    };
    expect(outputOf(run, done)).toMatchObject({
      status: "ok",
      data: {
        ...{ total: 3, execution_id: child_id, path: "child/one", status: "COMPLETED", progress },
        ...{ current_step: "end", is_cancelled: false, completed: true, failed: false },
        result: { total: 3, status: "mine" },
      },
    });
  });
  test("given back as its status has the reference of a large result", () => {
    const run = started("return_step: end");
    const { child_id, command_id } = child(run);
    const ref = { kind: "result_ref", ref: "noetl://x", extracted: { n: 1 } } as never;
    const done: ChildDone = {
      ...{ type: "child.done", command_id, child_id, status: "completed", result_ref: ref },
    };
    const { data } = outputOf(run, done);
    expect(data).toMatchObject({ _ref: "noetl://x", extracted: { n: 1 } });
    expect(data).not.toHaveProperty("result");
  });
  test("that was cancelled fails its step, and arcs see its status", () => {
    const run = started("return_result: true");
    const { child_id, command_id } = child(run);
    const done: ChildDone = { type: "child.done", command_id, child_id, status: "cancelled" };
    expect(outputOf(run, done)).toMatchObject({
      status: "error",
      data: { status: "CANCELLED", is_cancelled: true },
      error: { kind: "playbook", code: "cancelled" },
    });
  });
  test("says in its first event how it is waited for", () => {
    const run = started("return_result: true, result_step: total, timeout: 90");
    const { due = 0, ...event } = child(run);
    expect(event).toMatchObject({ awaited: true, as: "result", result_step: "total" });
    expect(due - run.nowMs).toBe(90_000);
    expect(run.state.commands.get(event.command_id)?.child).toMatchObject({ due, as: "result" });
  });
  test("that nobody waits for has no time", () => {
    const event = child(started("timeout: 90"));
    expect([event.awaited, event.due, event.as]).toEqual([false, undefined, undefined]);
  });
  test("takes its workload from input, and from payload where that is empty", () => {
    const workloads = [
      "input: {a: 1}, payload: {b: 2}",
      "input: {}, payload: {b: 2}",
      "version: 4",
    ];
    expect(workloads.map((fields) => child(started(fields)).workload)).toEqual([
      { a: 1 },
      { b: 2 },
      {},
    ]);
  });
  test("is looked up by a version as number or text, and by none for latest", () => {
    for (const version of ["4", '"4"', '"{{ 2 + 2 }}"', "latest", '"latest"']) {
      expect([version, child(started(`version: ${version}`)).version]).toEqual([version, 4]);
    }
    const failed = started("version: newest").state.failed.get("start");
    expect(failed?.message).toContain("expected a whole number from 1 or latest");
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
