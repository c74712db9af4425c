// The event log's contract on memory, and what only the reference implementation promises.
import { expect, test } from "bun:test";
import { memoryEventLog } from "#core/adapters/memory-event-log";
import { Fault } from "#core/model/fault";
import type { EventLog } from "#core/ports/event-log";
import { type EventLogWorld, eventLogContract } from "./event-log.ts";
import { command, startMs, startWith } from "./transitions.ts";

function memoryWorld(): EventLogWorld {
  let nowMs = startMs;
  let losing = false;
  const clock = { nowMs: () => nowMs };
  let store = memoryEventLog(clock);
  /** Always the present store: a reset replaces it under the same log. */
  const log = new Proxy({} as EventLog, {
    get: (_, name: keyof EventLog) => (name === "append" ? append : store[name]),
  });
  const append: EventLog["append"] = async (transitions) => {
    const verdicts = await store.append(transitions);
    if (!losing) return verdicts;
    losing = false;
    throw new Fault("unavailable", "the reply was lost");
  };
  return {
    log,
    nowMs: () => nowMs,
    advance: async (durationMs) => {
      nowMs += durationMs;
    },
    loseReplyOnce: () => {
      losing = true;
    },
    reset: async () => {
      store = memoryEventLog(clock);
    },
  };
}

eventLogContract("memory", async () => memoryWorld());

test("a hundred thousand rows claimed one by one take no walk over the others", async () => {
  const log = memoryEventLog({ nowMs: () => startMs });
  await startWith(log, (id) =>
    Array.from({ length: 100_000 }, (_, n) => command(id, `s${n}`, { payload: n })),
  );
  const request = { worker: "w", pools: ["default"], want: 1, leaseMs: 1_000 };
  let next = 0;
  for (let rows = await log.claim(request); rows.length > 0; rows = await log.claim(request)) {
    if (rows[0]?.payload !== next) break;
    next += 1;
  }
  expect(next).toBe(100_000);
});

test("what a caller does to what it got changes nothing in the store", async () => {
  const log = memoryEventLog({ nowMs: () => startMs });
  const payload = { list: [1] };
  await startWith(log, (id) => [command(id, "one", { payload, kind: "timer" })]);
  payload.list.push(2);
  const [first] = await log.due(1, 0);
  const got = first?.payload as { list: number[] } | undefined;
  got?.list.push(3);
  expect((await log.due(1, 0))[0]?.payload).toEqual({ list: [1] });
});
