// Events of a playbook's own: when they are told, what they carry, and that a cut log tells none twice.

import { describe, expect, test } from "bun:test";
import { evolve } from "#core/engine/evolve";
import { inlineBytesMax } from "#core/model/limits";
import { type Answer, EngineRun, failed, ok, planOf } from "#tests/support/engine";

const playbook = (emit: string, more = ""): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  tool: {kind: noop}
  set: {total: "{{ output.data.n }}"}
  emit: ${emit}
  ${more}
- step: after
  tool: {kind: noop}
`;

const both = `[{event: order.made, data: {n: "{{ total }}", by: "{{ event.step }}"}}, {event: order.told}]`;
const next = "next: {arcs: [{step: after}]}";
const start = (text: string): EngineRun => new EngineRun(planOf(text)).start();
const ended = (text: string, answer: NonNullable<Answer> = ok({ n: 3 })): EngineRun => {
  const run = start(text);
  return run.settle(run.open[0] as never, answer);
};
const emitted = (run: EngineRun) =>
  run.log.flatMap(({ event }) => (event.type === "event.emitted" ? [event] : []));

describe("events of a step", () => {
  test("are told in order before its exit, with data that sees what was set", () => {
    const run = ended(playbook(both, next));
    expect(run.story().slice(4, 8)).toEqual([
      "event.emitted start",
      "event.emitted start",
      "step.exit start",
      "step.enter after",
    ]);
    expect(emitted(run)).toMatchObject([
      { name: "order.made", step: "start", visit: 1, data: { n: 3, by: "start" } },
      { name: "order.told", step: "start", visit: 1 },
    ]);
    expect(emitted(run)[1]).not.toHaveProperty("data");
  });
  test("may be a single one", () => {
    expect(emitted(ended(playbook("{event: done}")))).toMatchObject([{ name: "done" }]);
  });
  test("are not told by a step that failed, recovered or not", () => {
    const rescue = `next: {arcs: [{step: after, when: "{{ event.name == 'call.error' }}"}]}`;
    for (const more of ["", rescue]) {
      expect(emitted(ended(playbook(both, more), failed()))).toEqual([]);
    }
  });
  test("are not told where the step fails on its way out", () => {
    for (const when of ["{{ 1 / 0 }}", "{{ false }}"]) {
      const more = `next: {arcs: [{step: after, when: "${when}"}]}`;
      const strict = playbook(both, more).replace(
        "workflow:",
        "executor: {spec: {no_next_is_error: true}}\nworkflow:",
      );
      const run = ended(strict);
      expect(emitted(run)).toEqual([]);
      expect(run.state.status).toBe("failed");
    }
  });
  test("that can't be rendered fail the step, which then tells and sets nothing", () => {
    const run = ended(playbook(`[{event: a.b}, {event: c.d, data: "{{ 1 / 0 }}"}]`));
    expect(emitted(run)).toEqual([]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "template" },
    });
    expect(run.state.variables.total).toBeUndefined();
  });
  test("with large data carry a reference", () => {
    const text = playbook(`{event: big, data: "{{ output.data.text }}"}`);
    const run = ended(text, ok({ n: 1, text: "x".repeat(inlineBytesMax + 1) }));
    const [event] = emitted(run);
    expect(event).not.toHaveProperty("data");
    expect(run.stored.get(event?.data_ref?.ref ?? "")).toHaveLength(inlineBytesMax + 1);
  });
  test("are told once for a loop, when it is done", () => {
    const loop = "loop: {in: [1, 2, 3], iterator: x}";
    const run = start(playbook(`{event: all, data: "{{ stats.total }}"}`, loop)).run(() => ok());
    expect(emitted(run)).toMatchObject([{ name: "all", data: 3 }]);
  });
  test("are told again by the next visit", () => {
    const again = `next: {arcs: [{step: start, when: "{{ output.data.n < 2 }}"}]}`;
    const run = start(playbook("{event: turn}", again));
    run.settle(run.open[0] as never, ok({ n: 1 })).settle(run.open[0] as never, ok({ n: 2 }));
    expect(emitted(run).map(({ visit }) => visit)).toEqual([1, 2]);
  });
});

test("a log that is cut between events goes on behind those that it has", () => {
  const whole = ended(playbook(both, next));
  const types = whole.story();
  for (let cut = 4; cut <= whole.log.length; cut++) {
    const run = new EngineRun(planOf(playbook(both, next)));
    for (const { event, text } of whole.log.slice(0, cut)) evolve(run.state, event, text.length);
    run.tell();
    expect([...types.slice(0, cut), ...run.story()]).toEqual(types.slice(0, cut + run.log.length));
  }
});

describe("a name", () => {
  for (const name of [
    "playbook.done",
    "step.exit",
    "wait.done",
    "event",
    "1a",
    "a..b",
    "a b",
    "",
  ]) {
    test(`${JSON.stringify(name)} is refused`, () => {
      expect(() => planOf(playbook(`{event: ${JSON.stringify(name)}}`))).toThrow("event");
    });
  }
  test("of two hundred characters is the longest", () => {
    expect(() => planOf(playbook(`{event: ${"a".repeat(200)}}`))).not.toThrow();
    expect(() => planOf(playbook(`{event: ${"a".repeat(201)}}`))).toThrow("200");
  });
  test("of more than thirty-two events is too many", () => {
    const list = Array.from({ length: 33 }, (_, index) => `{event: e${index}}`).join(", ");
    expect(() => planOf(playbook(`[${list}]`))).toThrow("at most 32");
  });
});
