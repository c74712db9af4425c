// The storm itself is honest: a seed gives the same faults each time, and what is missing, doubled or
// stuck is seen.

import { expect, test } from "bun:test";
import { decodeEvent } from "#core/model/codec";
import type { EventBody } from "#core/model/event";
import type { Json } from "#core/model/json";
import { cursorAsked } from "#scripts/storm-cursor-main";
import { startEffects } from "#scripts/storm-effects";
import type { Run } from "#scripts/storm-load";
import type { ReadLog } from "#scripts/storm-logs";
import { type Shape, shapes } from "#scripts/storm-playbooks";
import { attemptProblems, type EffectRow, type Judged, judge } from "#scripts/storm-report";
import { faultKinds, schedule } from "#scripts/storm-schedule";
import { startTarget } from "#scripts/storm-target";

const plan = { lengthMs: 60_000, gapMs: 2_500, awayMsMax: 5_000 };

test("a seed gives the same schedule, another seed another one", () => {
  expect(schedule({ ...plan, seed: 5 })).toEqual(schedule({ ...plan, seed: 5 }));
  expect(schedule({ ...plan, seed: 5 })).not.toEqual(schedule({ ...plan, seed: 6 }));
});

test("every kind of fault comes before any comes again", () => {
  const kinds = schedule({ ...plan, seed: 9 }).map(({ kind }) => kind);

  expect(kinds.slice(0, faultKinds.length).sort()).toEqual([...faultKinds].sort());
});

const shapeAt = (path: string): Shape => {
  const shape = shapes.find((one) => one.path === path);
  if (shape === undefined) throw new Error(`expected a playbook ${path}`);
  return shape;
};
const chain = shapeAt("storm/chain");
const effect = shapeAt("storm/effect");
const patient = shapeAt("storm/patient");

const runOf = (shape: Shape, id?: string): Run => ({ key: "run-4", n: 4, shape, id, unknown: 0 });

/** The log of an execution, as far as the verdict looks at it. */
function logOf(id: string, ...bodies: readonly Record<string, Json>[]): ReadLog {
  const started = { type: "playbook.started", workload: { run: "run-4" } };
  const events = [started, ...bodies].map((body, index) =>
    decodeEvent(
      JSON.stringify({
        ...{ execution_id: id, seq: index + 1, event_id: String(index + 1), time: 1 },
        ...{ schema_version: 1, ...body },
      }),
    ),
  );
  return { id, events, problems: [] };
}

const completed = (shape: Shape): Record<string, Json> => {
  const type: EventBody["type"] = "playbook.completed";
  return { type, result: shape.ending(4).result };
};

function judged(run: Run, logs: readonly ReadLog[], effects: readonly EffectRow[] = []): Judged {
  const byId = new Map(logs.map((log) => [log.id, log]));
  return judge({ runs: [run], logs: byId, effects, faults: [], samples: [] });
}

const counts = (found: Judged) => {
  const { lost, recorded_twice: twice, stuck } = found.counts;
  return { lost, twice, stuck };
};

test("an execution that ended as expected is no problem", () => {
  expect(judged(runOf(chain, "1"), [logOf("1", completed(chain))]).problems).toEqual([]);
});

test("a run that was answered and is nowhere is lost", () => {
  expect(counts(judged(runOf(chain, "1"), []))).toEqual({ lost: 1, twice: 0, stuck: 0 });
});

test("a run that never came to be started is lost", () => {
  expect(counts(judged(runOf(chain), []))).toEqual({ lost: 1, twice: 0, stuck: 0 });
});

test("a result or a status that differs is a loss", () => {
  const other = logOf("1", { type: "playbook.completed", result: [4, 0] });
  const failed = logOf("1", { type: "playbook.failed", failed_steps: ["two"] });

  expect(counts(judged(runOf(chain, "1"), [other]))).toEqual({ lost: 1, twice: 0, stuck: 0 });
  expect(counts(judged(runOf(chain, "1"), [failed]))).toEqual({ lost: 1, twice: 0, stuck: 0 });
});

test("a command whose attempts are used up is a loss, by lost workers or by a rule of its step", () => {
  const command = { command_id: "1:start:1" };
  const died = [2, 3, 4].map((attempt) => {
    return { type: "command.reissued", ...command, attempt, reason: "worker_died" };
  });
  const error = (code: string, kind: string) => {
    const output = {
      status: "error",
      error: { kind, code, message: "given up", retryable: false },
    };
    return { type: "call.error", ...command, attempt: 4, output, duration_ms: 0 };
  };
  const end = { type: "playbook.failed", failed_steps: ["start"] };
  const poisoned = logOf("1", ...died, error("poisoned", "lease_expired"), end);
  const retried = logOf("1", error("503", "http"), end);

  for (const log of [poisoned, retried]) {
    const found = judged(runOf(patient, "1"), [log]);
    expect(counts(found)).toEqual({ lost: 1, twice: 0, stuck: 0 });
    expect(found.problems[0]?.what).toContain("storm/patient ended as");
  }
  expect(judged(runOf(patient, "1"), [poisoned]).counts.reissued.worker_died).toBe(3);
  expect(counts(judged(runOf(patient, "1"), [logOf("1", ...died, completed(patient))])).lost).toBe(
    0,
  );
});

test("a call that is made again is a problem where no worker was lost", async () => {
  const target = startTarget({ calls: 9, msMin: 1, msMax: 2 });
  const call = (item: number) => fetch(`${target.url}/slow?execution=7&item=${item}`);
  await Promise.all([call(1), call(2)]);
  const before = attemptProblems(target);
  await call(2);
  const after = attemptProblems(target);
  await target.stop();

  expect(before).toEqual([]);
  expect(after).toMatchObject([{ kind: "attempt", what: expect.stringContaining("7 item 2: ") }]);
});

test("a log that has no end is stuck", () => {
  const open = logOf("1", { type: "step.exit", step: "start" });

  expect(counts(judged(runOf(chain, "1"), [open]))).toEqual({ lost: 0, twice: 0, stuck: 1 });
});

test("two outcomes of one command are seen", () => {
  const outcome = { type: "call.done", command_id: "1:start:1", attempt: 1 };
  const log = logOf("1", outcome, { ...outcome, attempt: 2 }, completed(chain));

  expect(counts(judged(runOf(chain, "1"), [log]))).toEqual({ lost: 0, twice: 1, stuck: 0 });
});

test("an effect under two keys is recorded twice, one that is missing is lost", () => {
  const log = logOf("1", completed(effect));
  const rows = (...keys: readonly number[]): EffectRow[] =>
    keys.map((count, item) => ({ run: "run-4", item, keys: count }));
  const found = (...keys: readonly number[]) =>
    counts(judged(runOf(effect, "1"), [log], rows(...keys)));

  expect(found(1, 1, 1)).toEqual({ lost: 0, twice: 0, stuck: 0 });
  expect(found(1, 2, 1)).toEqual({ lost: 0, twice: 1, stuck: 0 });
  expect(found(1, 1)).toEqual({ lost: 1, twice: 0, stuck: 0 });
});

test("a start that was not heard of and made two executions is no loss, if both end well", () => {
  const logs = [logOf("1", completed(chain)), logOf("2", completed(chain))];
  const found = judged(runOf(chain, "1"), logs);

  expect(found.problems).toEqual([]);
  expect(found.counts.starts.doubled).toBe(1);
});

test("a row that is told again under its key is repeated, under another one it was done twice", async () => {
  const effects = startEffects();
  const tell = (row: number, key?: string): Promise<Response> =>
    fetch(`${effects.url}/${row}`, {
      method: "POST",
      headers: key === undefined ? {} : { "idempotency-key": key },
    });
  for (const [row, key] of [
    [1, "a"],
    [1, "a"],
    [2, "b"],
    [2, "c"],
  ] as const) {
    expect((await tell(row, key)).status).toBe(200);
  }
  expect((await tell(3)).status).toBe(400);

  expect(effects.rows()).toBe(2);
  expect(effects.repeated()).toBe(1);
  expect(effects.doubled()).toEqual(["2"]);
  await effects.stop();
});

test("a storm over a queue is of the promised size unless told otherwise", () => {
  expect(cursorAsked(["--cursor", "--seed", "5"])).toEqual({
    ...{ source: "postgres", rows: 100_000, workers: 4, kills: 20, seed: 5, json: false },
  });
  expect(
    cursorAsked(["--cursor", "--source", "nats", "--rows", "500", "--kills", "0"]),
  ).toMatchObject({
    ...{ source: "nats", rows: 500, kills: 0 },
  });
  for (const argv of [["--rows", "many"], ["--workers", "0"], ["--source", "kafka"], ["--rowz"]]) {
    expect(cursorAsked(["--cursor", ...argv])).toBeString();
  }
});
