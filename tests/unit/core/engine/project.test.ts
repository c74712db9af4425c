// Projections: what is folded in pieces is what is folded at once, wherever it was cut and put away.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  initialProjection,
  type Projection,
  project,
  projectionMemory,
  resumedProjection,
  type Stage,
  takeChanges,
} from "#core/engine/project";
import { canonicalJson } from "#core/model/canonical-json";
import type { Event, LoggedEvent } from "#core/model/event";
import { testExecution } from "#tests/support/engine";
import { lived, randomLife } from "#tests/support/random-playbooks";

/** Stages by the event that entered them, as a store would have them after these events. */
function stored(projection: Projection, log: readonly LoggedEvent[], kept: Map<number, Stage>) {
  for (const { event } of log) project(projection, event);
  for (const stage of takeChanges(projection).stages) kept.set(stage.enteredSeq, stage);
  return kept;
}

describe("a projection", () => {
  test("put away anywhere and gone on with gives what it would have given", () => {
    fc.assert(
      fc.property(randomLife, fc.nat(), (life, cut) => {
        const { log, state } = lived(life);
        const place = cut % (log.length + 1);
        const whole = stored(initialProjection(testExecution), log, new Map());

        const half = initialProjection(testExecution);
        const pieces = stored(half, log.slice(0, place), new Map());
        const again = resumedProjection(half, projectionMemory(half));
        stored(again, log.slice(place), pieces);
        expect([...pieces].sort()).toEqual([...whole].sort());
        expect(projectionMemory(again)).toBe(
          projectionMemory(resumedProjection(again, projectionMemory(again))),
        );
        const open = [...whole.values()].filter(({ status }) => status === "running");
        expect(open.map(({ step }) => step).sort()).toEqual([...state.active.keys()].sort());
        if (state.status === "running") expect(again.calls.size).toBe(state.commands.size);
      }),
      { seed: 20_261_122, numRuns: 120 },
    );
  });

  test("refuses an event that is not the next", () => {
    const { log } = lived({
      steps: [
        {
          ...{ inclusive: true, arcs: [], loop: undefined, parallel: false },
          ...{ waits: false, guard: "none", emits: 0 },
        },
      ],
      turns: [],
    });
    const projection = initialProjection(testExecution);
    const [first, , third] = log;
    if (first === undefined || third === undefined) throw new Error("expected three events");
    project(projection, first.event);
    expect(() => project(projection, first.event)).toThrow("expected event 2 to project, found 1");
    expect(() => project(projection, third.event)).toThrow("expected event 2 to project, found 3");
  });

  test("keeps frames of cursor loops, with the number of their rows", () => {
    const envelope = { execution_id: testExecution, event_id: "1" as never, schema_version: 1 };
    const call = { command_id: "1:c:1:f0" as never, attempt: 1, row_count: 2 };
    const claimed = { type: "cursor.claimed", step: "c", visit: 1, ...call } as const;
    const events: readonly Event[] = [
      { ...envelope, seq: 1, time: 5, ...claimed, frame: 0, rows: [1, 2] },
      { ...envelope, seq: 2, time: 6, ...claimed, frame: 1, rows_ref: {} as never },
      { ...envelope, seq: 3, time: 7, type: "cursor.drained", step: "c", visit: 1, frame: 2 },
    ];
    const projection = initialProjection(testExecution);
    for (const event of events) project(projection, event);
    const place = { step: "c", visit: 1 };
    expect(takeChanges(projection).frames).toEqual([
      { ...place, frame: 0, claimedSeq: 1, claimedMs: 5, status: "claimed", rowCount: 2 },
      { ...place, frame: 1, claimedSeq: 2, claimedMs: 6, status: "claimed", rowCount: 2 },
      { ...place, frame: 2, claimedSeq: 3, claimedMs: 7, status: "drained" },
    ]);
    expect(takeChanges(projection).frames).toEqual([]);
  });
});

describe("canonical JSON", () => {
  test("is one text for values that differ in the order of their keys alone", () => {
    const one = { b: [1, { y: null, x: "é" }], a: { __proto__x: 1 } };
    const other = { a: { __proto__x: 1 }, b: [1, { x: "é", y: null }] };
    expect(canonicalJson(one)).toBe('{"a":{"__proto__x":1},"b":[1,{"x":"é","y":null}]}');
    expect(canonicalJson(other)).toBe(canonicalJson(one));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });
  test("keeps keys that mean something to the language as keys", () => {
    const value = JSON.parse('{"__proto__": {"b": 1, "a": 2}, "10": 1, "9": 2}') as never;
    expect(canonicalJson(value)).toBe('{"9":2,"10":1,"__proto__":{"a":2,"b":1}}');
  });
});
