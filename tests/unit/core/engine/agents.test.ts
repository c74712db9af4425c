// Agents as the parent's log tells of them: what is asked of the playbook, and the envelope.

import { describe, expect, test } from "bun:test";
import { agentCall, agentOutput } from "#core/engine/agents";
import { Unusable } from "#core/engine/failures";
import type { ChildCall } from "#core/engine/state";
import type { ChildDone } from "#core/model/event";
import { commandId, executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

const agent = { framework: "noetl", entrypoint: "agents/plan" };

describe("an agent's call", () => {
  test("is a playbook with the first of payload, input and invoke_kwargs that holds anything", () => {
    const maps = { payload: { a: 1 }, input: { b: 2 }, invoke_kwargs: { c: 3 } };
    expect(agentCall({ ...agent, ...maps })).toEqual({
      path: "agents/plan",
      workload: { a: 1 },
      about: { entrypoint: "agents/plan" },
    });
    expect(agentCall({ ...agent, ...maps, payload: {} }).workload).toEqual({ b: 2 });
    expect(agentCall({ ...agent, invoke_kwargs: { c: 3 } }).workload).toEqual({ c: 3 });
    expect(agentCall(agent).workload).toEqual({});
  });

  test("may be pinned to a version", () => {
    expect(agentCall({ ...agent, version: 3 }).version).toBe(3);
    expect(agentCall({ ...agent, version: "3" }).version).toBe(3);
    expect(agentCall({ ...agent, version: "latest" }).version).toBeUndefined();
    for (const version of [0, 1.5, "newest"]) {
      expect(() => agentCall({ ...agent, version })).toThrow("version: expected");
    }
  });

  test("is of this platform, has an entrypoint, and knows what to do with a failure", () => {
    const refused = (config: JsonObject) => expect(() => agentCall(config));
    refused({ ...agent, framework: "langchain" }).toThrow(Unusable);
    refused({ ...agent, framework: "langchain" }).toThrow(
      "framework: expected noetl; run an agent of another one in python",
    );
    refused({ entrypoint: "a" }).toThrow("framework: expected noetl");
    refused({ framework: "noetl" }).toThrow("entrypoint: expected");
    refused({ ...agent, entrypoint: " " }).toThrow("entrypoint: expected");
    refused({ ...agent, on_failure: "retry" }).toThrow("on_failure: expected envelope or fail");
  });
});

const id = executionId("478775660589088777");
const done: ChildDone = {
  type: "child.done",
  command_id: commandId(executionId("478775660589088776"), "ask", 1),
  child_id: id,
  status: "completed",
  result: { answer: 42 },
};
const { about } = agentCall(agent);
const child: ChildCall = { id, path: "agents/plan", as: "agent", startedMs: 1_000, about };
const shared = { framework: "noetl", entrypoint: "agents/plan", execution_id: id };

describe("an agent's end", () => {
  test("is its result in the envelope", () => {
    expect(agentOutput(done, child, 3_500)).toEqual({
      status: "ok",
      data: { ...shared, status: "ok", data: { answer: 42 }, duration: 2.5 },
    });
  });

  test("that is too large to carry shows its summary, and where it is", () => {
    const { result: _result, ...rest } = done;
    const ref = {
      kind: "result_ref",
      ref: "noetl://x",
      store: "db",
      scope: "execution",
      meta: { bytes: 200_000, media_type: "application/json" },
      extracted: { count: 7 },
    } as const;
    expect(agentOutput({ ...rest, result_ref: ref }, child).data).toEqual({
      ...shared,
      status: "ok",
      data: { count: 7 },
      _ref: "noetl://x",
    });
  });

  const error = { kind: "python", message: "no plan", retryable: false };
  const failed: ChildDone = { ...done, status: "failed", error };

  test("that is a failure is data, and the step goes on", () => {
    expect(agentOutput({ ...failed, result: null }, child)).toEqual({
      status: "ok",
      data: {
        ...shared,
        status: "error",
        data: null,
        error: { message: "no plan", status: "failed" },
      },
    });
    const { error: _error, ...cancelled } = { ...failed, status: "cancelled" as const };
    expect(agentOutput(cancelled, child).data).toMatchObject({
      status: "error",
      error: { message: `the agent's execution ${id} cancelled`, status: "cancelled" },
    });
  });

  test("fails the step where the playbook asked for that", () => {
    const strict = { ...child, about: agentCall({ ...agent, on_failure: "fail" }).about };
    expect(agentOutput(failed, strict)).toMatchObject({
      status: "error",
      error: {
        kind: "agent",
        code: "failed",
        message: `agent agents/plan (execution ${id}) failed: no plan`,
      },
      data: { status: "error" },
    });
    expect(agentOutput(done, strict)).toMatchObject({ status: "ok" });
  });
});
