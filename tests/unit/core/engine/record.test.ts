// The two ways to record events: one makes a log, the other only the state.

import { expect, test } from "bun:test";
import type { Facts } from "#core/engine/facts";
import { plainRecord } from "#core/engine/record";
import { genesisDigest } from "#core/model/codec";
import { inlineBytesMax } from "#core/model/limits";
import { EngineRun, ok, planOf } from "#tests/support/engine";

class UnloggedRun extends EngineRun {
  override facts(): Facts {
    return { ...super.facts(), record: plainRecord };
  }
}

const plan = planOf(`
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {items: [1, 2]}
workflow:
- step: start
  loop: {in: "{{ workload.items }}", iterator: x, spec: {mode: parallel}}
  tool: {kind: noop, message: "{{ iter.x }}"}
  set: {ctx.first: "{{ output.results[0] }}"}
  next: {arcs: [{step: after, when: "{{ ctx.first | length > 1 }}"}, {step: other}]}
- step: after
  tool: {kind: noop}
- step: other
  tool: {kind: noop}
`);
const large = "x".repeat(inlineBytesMax);

test("events recorded as they are lead to the same decisions as a log", () => {
  const logged = new EngineRun(plan).start().run(() => ok(large));
  const unlogged = new UnloggedRun(plan).start().run(() => ok(large));

  expect(unlogged.story()).toEqual(logged.story());
  expect(unlogged.state.status).toBe("completed");
  expect(unlogged.state.lastExit).toBe(logged.state.lastExit);
});

test("events recorded as they are have neither text, digest nor stored values", () => {
  const { log, state, stored } = new UnloggedRun(plan).start().run(() => ok(large));

  expect(new Set(log.map(({ text }) => text))).toEqual(new Set([""]));
  expect(state.digest).toBe(genesisDigest);
  expect(stored.size).toBe(0);
});
