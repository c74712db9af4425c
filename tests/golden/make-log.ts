// Makes a golden log: one execution that meets the events which the engine writes, with fixed
// times and ids. Run by hand once for a release (`bun tests/golden/make-log.ts > tests/golden/…`);
// a golden log is never made again, for it stands for the logs that are out there.

import { catalogKey } from "#core/engine/facts";
import { EngineRun, failed, ok, planOf } from "#tests/support/engine";

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: golden, path: golden}
workload: {items: [1, 2, 3], text: "Zoë \\u0000 {{ not a template }}"}
workflow:
- step: start
  tool: {kind: noop, message: "{{ workload.text }}"}
  set: {ctx.n: "{{ output.n }}", ctx.page.size: 2}
  next:
    spec: {mode: inclusive}
    arcs: [{step: loop}, {step: child}, {step: never, when: "{{ false }}"}]
- step: loop
  loop: {in: "{{ workload.items }}", iterator: x, spec: {mode: parallel, max_in_flight: 2}}
  tool: {kind: python, code: "result = x", input: {x: "{{ iter.x }}"}}
  next:
    arcs:
    - step: join
      when: "{{ event.name == 'loop.done' and stats.failed == 1 }}"
      set: {good: "{{ stats.success }}"}
- step: child
  tool: {kind: playbook, path: other, return_result: true, input: {n: "{{ n }}"}}
  next: {arcs: [{step: join}]}
- step: never
  tool: {kind: noop}
- step: join
  tool: {kind: noop, result: {loop: "{{ loop.results }}", child: "{{ child.total }}", good: "{{ good }}"}}
  next: {arcs: [{step: join, when: "{{ ctx.turns < 2 }}"}, {step: passed}]}
  set: {ctx.turns: "{{ (ctx.turns | default(0)) + 1 }}"}
  emit: {event: golden.joined, data: {turns: "{{ ctx.turns }}"}}
- step: passed
  when: "{{ ctx.turns > 5 }}"
  tool: {kind: noop}
  next: {arcs: [{step: pause}]}
- step: pause
  tool: {kind: wait, for: callback, key: "order-{{ n }}", timeout_s: 60}
  next: {arcs: [{step: queue}]}
- step: queue
  loop:
    cursor: {kind: postgres, auth: pg, claim: "update q set by = '{{ __frame_key }}' returning id"}
    iterator: row
    spec: {mode: cursor, frame: {max_rows: 2}}
  tool: {kind: noop, message: "{{ row.id }}"}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ join }}"}
`;

export function goldenRun(): EngineRun {
  const run = new EngineRun(planOf(playbook));
  run.catalog.set(catalogKey({ path: "other" }), { catalogId: "500", path: "other", version: 2 });
  run.start({ extra: { deep: [null, true, -0.5, 1e21] } });
  run.tell({ type: "vars.set", set: { outside: "set" }, source_step: "start" });
  settle(run, "start", ok({ n: 5, bytes: "é" }));
  const child = run.log.find(({ event }) => event.type === "child.started")?.event;
  const [first] = run.open;
  if (first === undefined || child?.type !== "child.started") throw new Error("no command");
  const id = first.event.command_id;
  run.nowMs += 1_000;
  run.tell({ type: "command.reissued", command_id: id, attempt: 2, reason: "lease_expired" });
  run.tell({
    type: "command.yielded",
    command_id: id,
    attempt: 2,
    checkpoint: { version: 1, label: "task_0" },
    due: run.nowMs + 6_000,
  });
  run.tell({ type: "command.reissued", command_id: id, attempt: 3, reason: "checkpoint" });
  run.tell({
    type: "call.done",
    command_id: id,
    attempt: 3,
    output: { status: "ok", data: 1 },
    set: { "ctx.last": 1 },
    duration_ms: 12,
    worker: "w1",
  });
  run.open.shift();
  settle(run, "loop", failed("no luck", "python"));
  settle(run, "loop", ok("x".repeat(120_000)));
  const { command_id, child_id } = child;
  run.tell(
    { type: "child.done", command_id, child_id, status: "completed", result: { total: 7 } },
    {
      type: "call.done",
      command_id,
      attempt: 1,
      output: { status: "ok", data: { total: 7 } },
      duration_ms: 0,
    },
  );
  run.run(() => ok({ joined: true }));
  answerWait(run);
  workOffFrame(run);
  return run.run(() => ok({ joined: true }));
}

function answerWait(run: EngineRun): void {
  const parked = run.log.find(({ event }) => event.type === "wait.parked")?.event;
  if (parked?.type !== "wait.parked") throw new Error("nothing waits");
  const { key, command_id: waiting } = parked;
  run.nowMs += 1_000;
  run.tell({ type: "wait.done", key, command_id: waiting, output: { status: "ok", data: 3 } });
}

function workOffFrame(run: EngineRun): void {
  const frame = run.open.find(({ event }) => event.step === "queue")?.event;
  if (frame?.frame === undefined) throw new Error("no frame was issued");
  const rows = [{ id: 1 }, { id: 2 }];
  const { command_id: claiming, step, visit, frame: number } = frame;
  run.tell({
    ...{ type: "cursor.claimed", step, visit, frame: number, command_id: claiming, attempt: 1 },
    ...{ row_count: rows.length, rows },
  });
  settle(run, "queue", ok({ rows: 2, success: 2, failed: 0 }));
}

function settle(run: EngineRun, step: string, answer: ReturnType<typeof ok>): void {
  const command = run.open.find(({ event }) => event.step === step);
  if (command === undefined) throw new Error(`step ${step} has no open command`);
  run.settle(command, answer);
}

if (import.meta.main) {
  for (const { text, digest } of goldenRun().log) {
    process.stdout.write(`{"digest":"${digest}","event":${text}}\n`);
  }
}
