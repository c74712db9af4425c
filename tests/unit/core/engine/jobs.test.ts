// Jobs that are put into a running execution: each becomes one command of no step, taken as data,
// and the execution ends when its steps and its jobs have.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type CommandPayload, workerCommand } from "#core/engine/assemble";
import { decide } from "#core/engine/decide";
import { evolve } from "#core/engine/evolve";
import { openJobCount } from "#core/engine/jobs";
import { initialProjection, project, takeChanges } from "#core/engine/project";
import { decodeState, encodeState } from "#core/engine/snapshot";
import { initialState } from "#core/engine/state";
import { verifyLog } from "#core/engine/verify";
import { decodeEvent, genesisDigest } from "#core/model/codec";
import { type RequestEnqueued, terminalStatus } from "#core/model/event";
import type { JsonObject } from "#core/model/json";
import { snapshotPartsMax } from "#core/model/limits";
import { amount } from "#scripts/test-amount";
import { EngineRun, failed, ok, planOf, sha256, testExecution } from "#tests/support/engine";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: jobs}
workflow:
- step: a
  tool: {kind: noop}
  next: {spec: {mode: inclusive}, arcs: [{step: b}, {step: c}]}
- step: b
  tool: {kind: noop}
- step: c
  loop: {in: [1, 2], iterator: x}
  tool: {kind: noop}`;

const asked = (job: number, more: Partial<RequestEnqueued> = {}): RequestEnqueued => ({
  type: "request.enqueued",
  job,
  node_id: "n",
  action: { kind: "noop", message: "{{ a }}" },
  input: { who: "Ada" },
  ...more,
});

const enqueue = (run: EngineRun, more: Partial<RequestEnqueued> = {}) =>
  run.tell(asked(run.state.jobs + 1, more));

const payloadOf = (run: EngineRun, at: number): CommandPayload => {
  const event = run.open[at]?.event;
  if (event === undefined) throw new Error("expected a command");
  return {
    catalog_id: "1" as never,
    path: "t",
    step: event.step,
    visit: event.visit,
    kind: event.kind,
    ...(event.input === undefined ? {} : { input: event.input }),
    ...(event.job === undefined ? {} : { job: event.job }),
  };
};

const leased = {
  commandId: `${testExecution}:n:q1` as never,
  executionId: testExecution,
  attempt: 1,
  pool: "default",
  leaseMs: 1,
};

describe("a job", () => {
  test("becomes a command whose texts are data", () => {
    const run = enqueue(new EngineRun(planOf(playbook)).start(), { pool: "gpu", priority: 3 });
    expect(run.story().slice(-2)).toEqual(["request.enqueued", "command.issued n"]);
    expect(run.open[1]?.event).toMatchObject({
      command_id: `${testExecution}:n:q1`,
      kind: "noop",
      pool: "gpu",
      priority: 3,
      job: 1,
    });
    expect(workerCommand(run.plan, payloadOf(run, 1), leased)).toMatchObject({
      step: "n",
      tasks: [{ label: "n", kind: "noop", config: { message: "{{ a }}" }, holes: [], set: [] }],
      scope: { who: "Ada" },
    });
  });

  test("keeps the execution from ending, takes no arcs and fails no step", () => {
    const run = enqueue(new EngineRun(planOf(playbook)).start(), { node_id: "a" });
    run.run(({ event }) => (event.job === undefined ? ok() : undefined));
    expect(run.state.active.size).toBe(0);
    expect(run.state.status).toBe("running");
    const [job] = run.open;
    if (job === undefined) throw new Error("expected the job's command");
    run.settle(job, failed("no luck"));
    expect(run.state.status).toBe("completed");
    expect(run.story().slice(-2)).toEqual(["call.error", "playbook.completed"]);
    expect(run.state.steps.get("a")?.visits).toBe(1);
    expect(verifyLog(testExecution, run.log, sha256).problems).toEqual([]);
  });

  test("is of no visit of the step whose name it has", () => {
    const run = enqueue(new EngineRun(planOf(playbook)).start(), { node_id: "a" });
    const projection = initialProjection(testExecution);
    const job = run.open[1];
    if (job === undefined) throw new Error("expected the job's command");
    run.settle(job, failed());
    for (const { event } of run.log) project(projection, event);
    expect(takeChanges(projection).stages).toMatchObject([{ step: "a", done: 0, failed: 0 }]);
  });

  test("may be asked for many at a time, and only in the order of their numbers", () => {
    const run = new EngineRun(planOf(playbook)).start();
    run.tell(asked(1), asked(2, { node_id: "m" }), asked(3));
    expect(run.open.slice(1).map(({ event }) => event.job)).toEqual([1, 2, 3]);
    expect(openJobCount(run.state)).toBe(3);
    expect(() => run.tell(asked(3))).toThrow("job 3 follows job 3");
  });

  test("is forgotten when the execution is cancelled", () => {
    const run = enqueue(new EngineRun(planOf(playbook)).start());
    run.tell({ type: "playbook.cancelled" });
    expect(openJobCount(run.state)).toBe(0);
    expect(run.state.status).toBe("cancelled");
  });
});

const act = fc.record({ what: fc.constantFrom("ask", "settle", "settle", "fail"), pick: fc.nat() });
const runs = { seed: 20_261_122, numRuns: amount(150) };

function lived(acts: readonly { readonly what: string; readonly pick: number }[]): EngineRun {
  const run = new EngineRun(planOf(playbook)).start();
  for (const { what, pick } of acts) {
    if (run.state.status !== "running") break;
    const command = run.open[pick % Math.max(1, run.open.length)];
    if (what === "ask" || command === undefined) {
      const action: JsonObject = { kind: "noop", n: pick };
      enqueue(run, { node_id: pick % 2 === 0 ? "a" : "n", action });
    } else run.settle(command, what === "fail" ? failed() : ok(pick));
  }
  return run;
}

describe("whatever is asked for and settled in whatever order", () => {
  test("a running execution waits on a command, and nothing more is decided", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const run = lived(acts);
        if (run.state.status === "running") expect(run.state.commands.size).toBeGreaterThan(0);
        expect(decide(run.plan, run.state, run.facts(), []).events).toEqual([]);
        run.run(() => ok());
        const ends = run.log.filter(({ event }) => terminalStatus(event) !== undefined);
        expect(ends).toEqual(run.log.slice(-1));
        expect(verifyLog(testExecution, run.log, sha256).problems).toEqual([]);
      }),
      runs,
    );
  });

  test("a replay comes to the same state, also from a snapshot taken anywhere", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), fc.nat(), (acts, cut) => {
        const { log, state } = lived(acts);
        const place = cut % (log.length + 1);
        let replayed = initialState(testExecution, genesisDigest);
        for (const [at, { text, digest }] of log.entries()) {
          if (at === place) {
            const written = encodeState(replayed, snapshotPartsMax) ?? "";
            replayed = decodeState(testExecution, genesisDigest, written) ?? replayed;
          }
          evolve(replayed, decodeEvent(text), text.length);
          replayed.digest = digest;
        }
        expect(replayed).toEqual(state);
      }),
      runs,
    );
  });

  test("a log that is cut anywhere goes on to where it went", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 20 }), fc.nat(), (acts, cut) => {
        const run = lived(acts);
        const place = cut % (run.log.length + 1);
        const state = initialState(testExecution, genesisDigest);
        for (const { text, digest } of run.log.slice(0, Math.max(1, place))) {
          evolve(state, decodeEvent(text), text.length);
          state.digest = digest;
        }
        decide(run.plan, state, run.facts(), []);
        expect(state.awaitedJobs.size).toBe(0);
        if (state.status === "running") expect(state.commands.size).toBeGreaterThan(0);
      }),
      runs,
    );
  });
});
