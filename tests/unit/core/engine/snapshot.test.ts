// A state that was written down and read again is the state that it was, and goes on as it would.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { evolve } from "#core/engine/evolve";
import { decodeState, encodeState } from "#core/engine/snapshot";
import { type ExecutionState, initialState } from "#core/engine/state";
import { StoredValue } from "#core/engine/variables";
import { decodeEvent, genesisDigest } from "#core/model/codec";
import type { LoggedEvent } from "#core/model/event";
import { snapshotPartsMax } from "#core/model/limits";
import { amount } from "#scripts/test-amount";
import { testExecution } from "#tests/support/engine";
import { lived, randomLife } from "#tests/support/random-playbooks";

const runs = { seed: 20_261_122, numRuns: amount(120) };

const textOf = (state: ExecutionState): string => {
  const text = encodeState(state, snapshotPartsMax);
  if (text === undefined) throw new Error("the state has too many parts");
  return text;
};

const restored = (text: string): ExecutionState => {
  const state = decodeState(testExecution, genesisDigest, text);
  if (state === undefined) throw new Error("the text is not one of a state");
  return state;
};

function folded(state: ExecutionState, log: readonly LoggedEvent[]): ExecutionState {
  for (const { text, digest } of log) {
    evolve(state, decodeEvent(text), text.length);
    state.digest = digest;
  }
  return state;
}

const empty = (): ExecutionState => initialState(testExecution, genesisDigest);

describe("a snapshot", () => {
  test("taken anywhere gives, with the rest of the log, the state of the whole log", () => {
    const seen = { references: 0, waiting: 0, loops: 0, joins: 0, waits: 0, early: 0 };
    fc.assert(
      fc.property(randomLife, fc.nat(), (life, cut) => {
        const { log, state } = lived(life);
        const place = cut % (log.length + 1);
        const half = folded(empty(), log.slice(0, place));
        seen.waiting += [...half.commands.values()].filter(({ waiting }) => waiting).length;
        seen.loops += half.loops.size;
        seen.joins += half.arrivals.size;
        seen.waits += half.waits.size;
        seen.early += half.answers.size;
        const text = textOf(half);
        seen.references += text.includes("result_ref") ? 1 : 0;

        const whole = folded(restored(text), log.slice(place));
        expect(whole).toEqual(state);
        expect(textOf(whole)).toBe(textOf(folded(empty(), log)));
      }),
      runs,
    );
    for (const [what, times] of Object.entries(seen)) {
      expect({ what, some: times > 0 }).toEqual({ what, some: true });
    }
  });

  test("keeps what could pass for something else as what it is", () => {
    const state = empty();
    const data = JSON.parse(
      '{"$map": [], "$data": {"$set": [1]}, "__proto__": {"x": 1}, "plain": {"$": null}}',
    ) as { [key: string]: string };
    Object.assign(state.variables, { data, list: [1, [], "$set", null] });
    const again = restored(textOf(state));
    expect(JSON.stringify(again.variables)).toBe(
      JSON.stringify({ data, list: [1, [], "$set", null] }),
    );
    expect(Object.getPrototypeOf(again.variables)).toBeNull();
    expect(Object.hasOwn(again.variables["data"] as object, "__proto__")).toBe(true);
  });

  test("keeps references as such, also inside of variables, and holes as holes", () => {
    const state = empty();
    const ref = { kind: "result_ref", ref: "noetl://x", store: "db" } as never;
    state.variables["deep"] = { part: new StoredValue(ref) } as never;
    const sparse: number[] = [];
    sparse[3] = 4;
    state.variables["sparse"] = sparse;
    const again = restored(textOf(state));
    expect((again.variables["deep"] as unknown as { part: unknown }).part).toBeInstanceOf(
      StoredValue,
    );
    expect(Object.keys(again.variables["sparse"] as object)).toEqual(["3"]);
    expect((again.variables["sparse"] as unknown[]).length).toBe(4);
  });

  test("is not made of a state with more parts than are allowed", () => {
    const state = empty();
    state.variables["list"] = Array.from({ length: 100 }, (_, item) => item);
    expect(encodeState(state, 150)).toBeString();
    expect(encodeState(state, 100)).toBeUndefined();
  });

  test("of another execution, another shape or no shape at all is none", () => {
    const text = textOf(empty());
    expect(decodeState("1" as never, genesisDigest, text)).toBeUndefined();
    for (const bad of [
      "",
      "{",
      "[]",
      text.replace('"seq"', '"sequence"'),
      text.replace('{"$map":[]}', '{"$nothing":[]}'),
    ]) {
      expect(decodeState(testExecution, genesisDigest, bad)).toBeUndefined();
    }
  });
});
