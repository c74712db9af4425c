// What clients of two dialects send comes to the same; what means nothing is refused by name.

import { describe, expect, test } from "bun:test";
import { eventInput, failureOf, type WireEvent } from "#control/services/wire/event-input";
import { listFilter, nextCursor } from "#control/services/wire/list-input";
import { jobInput } from "#control/services/wire/queue-input";
import { varsInput } from "#control/services/wire/vars-input";
import { eventErrorCharsMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import { executionId, snowflake } from "#core/model/ids";

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "none";
  } catch (thrown) {
    return thrown instanceof Fault ? thrown.code : String(thrown);
  }
};

describe("an event", () => {
  const outcome = {
    kind: "settle",
    command: { commandId: "1:s:1" },
    worker: "w",
    output: { status: "ok", data: { n: 1 } },
    durationMs: 250,
  };
  const written: readonly (readonly [string, WireEvent])[] = [
    [
      "with a payload and a result",
      {
        name: "call.done",
        worker_id: "w",
        duration: 0.25,
        payload: { command_id: "1:s:1", result: { status: "COMPLETED", context: { n: 1 } } },
      },
    ],
    [
      "with a context and its data",
      {
        event_type: "command_completed",
        context: {
          worker_id: "w",
          data: { n: 1 },
          duration_ms: 250,
          context: { command_id: "1:s:1" },
        },
      },
    ],
    [
      "with everything at the top",
      {
        event_type: "Call.Done",
        command_id: "1:s:1",
        worker_id: "w",
        duration: 0.25,
        result: { context: { n: 1 } },
      },
    ],
  ];
  for (const [name, event] of written) {
    test(`${name} is the outcome of its command`, () => {
      expect(eventInput(event)).toEqual(outcome as never);
    });
  }

  test("names its command by an event's id where it gives a number", () => {
    const event = { name: "call.done", worker_id: "w", meta: { command_id: 123, attempt: 2 } };
    expect(eventInput(event)).toMatchObject({ command: { eventId: "123" }, attempt: 2 });
  });

  test("has failed where its name or its status says so", () => {
    for (const event of [
      { name: "call.error" },
      { name: "command_failed" },
      { name: "call.done", status: "FAILED" },
      { name: "call.done", payload: { status: "cancelled" } },
      { name: "call.done", result: { status: "ERROR" } },
    ]) {
      const input = eventInput({ ...event, command_id: "1:s:1", error: "no" }, "w");
      expect(input).toMatchObject({ output: { status: "error", error: { message: "no" } } });
    }
  });

  test("of the platform's own says that a worker is alive, and nothing more", () => {
    for (const name of ["step.enter", "loop.shard.done", "workflow.completed", "batch.accepted"]) {
      expect(eventInput({ name })).toEqual({ kind: "alive" });
    }
    expect(eventInput({ name: "app.done", node_name: "s", payload: { a: 1 } })).toEqual({
      kind: "emit",
      name: "app.done",
      step: "s",
      data: { a: 1 },
    });
    expect(eventInput({ name: "execution_cancelled", context: { reason: "x" } })).toEqual({
      kind: "cancel",
      reason: "x",
    });
  });

  test("an error is text or a map, cut to a bound", () => {
    expect(failureOf("no")).toEqual({ kind: "reported", message: "no", retryable: false });
    expect(failureOf({ error: { message: "deep", type: "Timeout", code: 7 } })).toEqual({
      kind: "Timeout",
      message: "deep",
      retryable: false,
      code: 7,
    });
    expect(failureOf(undefined).message).toBe("failed");
    expect(failureOf("x".repeat(9_999)).message).toHaveLength(eventErrorCharsMax);
  });
});

describe("variables", () => {
  test("come as a map, as a list and bare", () => {
    expect(varsInput({ variables: { a: 1 }, source_step: "s" })).toEqual({
      set: { a: 1 },
      sourceStep: "s",
    });
    const list = [
      { var_name: "a", var_value: 1, source_step: "s" },
      { name: "b", value: null },
    ];
    expect(varsInput({ variables: list })).toEqual({ set: { a: 1, b: null }, sourceStep: "s" });
    expect(varsInput({ a: { variables: 2 } })).toEqual({ set: { a: { variables: 2 } } });
  });

  test("that are none of the three are refused", () => {
    for (const variables of ["text", 1, null, [1], [{ var_name: 1 }]]) {
      expect(codeOf(() => varsInput({ variables }))).toBe("invalid");
    }
    expect(codeOf(() => varsInput({ "a\0": 1 }))).toBe("invalid");
  });
});

describe("filters of a list", () => {
  test("become bounds of ids, of which the one that leaves the least counts", () => {
    const at = (timeMs: number) => executionId(snowflake({ timeMs, machine: 0, sequence: 0 }));
    const time = Date.UTC(2026, 0, 2);
    const query = {
      started_before: "2026-01-02T00:00:00Z",
      started_after: String(time - 1_000),
      before: at(time + 5),
      cursor: nextCursor(at(time - 7)),
    };
    expect(listFilter(query)).toEqual({ from: at(time - 999), before: at(time - 7) });
    expect(listFilter({ status: "Running, failed" })).toEqual({ status: ["running", "failed"] });
  });

  test("a cursor is one that a list has given", () => {
    for (const id of ["1", "9223372036854775807", "382779629997805568"].map(executionId)) {
      expect(listFilter({ cursor: nextCursor(id) })).toEqual({ before: id });
    }
    for (const cursor of [
      "",
      "e",
      "e0",
      "x12",
      "ezzzzzzzzzzzzz",
      "e' or 1=1",
      "382779629997805568",
    ]) {
      expect(codeOf(() => listFilter({ cursor }))).toBe("invalid");
    }
    for (const query of [{ version: 1 }, { catalog_id: "x" }, { started_after: "soon" }]) {
      expect(codeOf(() => listFilter(query))).toBe("invalid");
    }
  });
});

test("a job's action is a tool call that a worker can run", () => {
  const job = (action: unknown) => () => jobInput({ node_id: "n", action });
  expect(codeOf(job({ kind: "http", url: "http://x" }))).toBe("none");
  for (const action of [
    { kind: "agent" },
    { kind: "wait" },
    { kind: "workbook" },
    "e30=",
    1,
    null,
  ]) {
    expect(codeOf(job(action))).toBe("invalid");
  }
});
