// Proves that what tools print reaches the control plane in order, once, in few requests; and that
// a control plane that is away costs lines, which are counted, and nothing else.

import { expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import { stepLogPauseMs, workerRetryMsMax } from "#core/model/limits";
import type { StepLogLine } from "#core/ports/step-logs";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import { command, task } from "#tests/worker/commands";
import type { LineBufferBounds } from "#worker/line-buffer";
import { logShipper } from "#worker/log-shipper";

function setting(bounds: LineBufferBounds = {}) {
  const clock = virtualClock();
  const requests: (readonly StepLogLine[])[] = [];
  const notices: string[] = [];
  const state = { answer: (_lines: readonly StepLogLine[]): Promise<void> => Promise.resolve() };
  const shipper = logShipper({
    sink: {
      send: (lines) => {
        requests.push(lines);
        return state.answer(lines);
      },
    },
    clock,
    log: { notice: (message) => void notices.push(message) },
    bounds,
    random: () => 1,
  });
  const first = command([task("only")], { step: "one" });
  const print = (text: string, of = first): void =>
    shipper.log.line?.({ command: of, label: "only", stream: "stdout", text });
  const sent = (): readonly string[] => requests.flat().map(({ text }) => text);
  return { clock, requests, notices, state, shipper, print, sent, first };
}

const away = (): Promise<never> => Promise.reject(new Fault("unavailable", "away"));

test("lines printed together go together, in order, with what tells them apart", async () => {
  const { requests, print, first, clock } = setting();
  for (const text of ["a", "b", "c"]) print(text);
  await settled();

  expect(requests.length).toBe(1);
  expect(requests[0]?.map(({ text, seq }) => [text, seq])).toEqual([
    ["a", 1],
    ["b", 2],
    ["c", 3],
  ]);
  const { execution_id: executionId, command_id: commandId } = first;
  const about = { executionId, commandId, attempt: 1, step: "one", label: "only" };
  expect(requests[0]?.[0]).toMatchObject({ ...about, stream: "stdout", timeMs: clock.nowMs() });
});

test("a worker whose tools print nothing sends nothing", async () => {
  const { requests, shipper, clock } = setting();
  await clock.advance(60_000);
  await shipper.close(1_000);

  expect(requests).toEqual([]);
});

test("what is printed while a request is under way goes with the next one", async () => {
  const { requests, state, print, clock } = setting();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.answer = () => promise;
  print("a");
  await settled();
  for (let n = 0; n < 500; n++) print(`${n}`);
  await clock.advance(stepLogPauseMs * 3);
  expect(requests.length).toBe(1);
  resolve();
  await clock.advance(stepLogPauseMs);

  expect(requests.map(({ length }) => length)).toEqual([1, 500]);
});

test("a tool that prints a line every millisecond costs ten requests a second", async () => {
  const { requests, print, clock } = setting();
  for (let n = 0; n < 1_000; n++) {
    print(`${n}`);
    await clock.advance(1);
  }

  expect(requests.length).toBeLessThanOrEqual(1_000 / stepLogPauseMs + 1);
  expect(requests.length).toBeGreaterThan(5);
});

test("a request without an answer is sent again as it was, before anything new", async () => {
  const { requests, state, print, clock, sent } = setting();
  state.answer = away;
  print("a");
  await settled();
  print("b");
  await clock.advance(workerRetryMsMax);
  state.answer = async () => {};
  await clock.advance(workerRetryMsMax * 2);

  expect(requests.length).toBeGreaterThan(2);
  expect(requests.slice(0, -1).every((lines) => lines === requests[0])).toBe(true);
  expect(sent().slice(-2)).toEqual(["a", "b"]);
});

test("while the control plane is away the oldest lines go, and a line says how many", async () => {
  const { state, print, clock, requests } = setting({ bufferCharsMax: 5 * 110 });
  state.answer = away;
  print("under way.");
  await settled();
  for (let n = 0; n < 12; n++) print(`line ${String(n).padStart(5, "0")}`);
  state.answer = async () => {};
  await clock.advance(workerRetryMsMax * 2);

  const after = requests.at(-1) ?? [];
  expect(after.map(({ text }) => text)).toEqual([
    "7 lines are missing here: they could not be sent in time",
    ...["line 00007", "line 00008", "line 00009", "line 00010", "line 00011"],
  ]);
  expect(after[0]).toMatchObject({ stream: "log", step: "one" });
  expect(after.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
});

test("lines that the control plane refuses are given up, and later ones go on", async () => {
  const { state, print, clock, sent, notices } = setting();
  state.answer = () => Promise.reject(new Fault("invalid", "no lines"));
  print("bad");
  await settled();
  state.answer = async () => {};
  print("good");
  await clock.advance(stepLogPauseMs);

  expect(sent()).toEqual(["bad", "good"]);
  expect(notices).toEqual(["1 lines of tools were refused"]);
});

test("an attempt has so many lines; the next attempt has its own", async () => {
  const { print, sent, clock } = setting({ attemptLinesMax: 2 });
  const second = command([task("only")], { step: "one", attempt: 2 });
  for (const text of ["a", "b", "c", "d"]) print(text);
  print("e", second);
  await clock.advance(stepLogPauseMs);

  expect(sent()).toEqual([
    "a",
    "b",
    expect.stringContaining("what this attempt prints beyond 2 lines"),
    "e",
  ]);
});

test("closing sends what there is without a pause, and gives up when its time is over", async () => {
  const { print, sent, shipper, clock, requests } = setting();
  print("a");
  await settled();
  print("b");
  const closed = shipper.close(1_000);
  await settled();
  await closed;
  expect(sent()).toEqual(["a", "b"]);
  print("late");
  await clock.advance(10_000);
  expect(requests.length).toBe(2);

  const other = setting();
  other.state.answer = away;
  other.print("c");
  const given = other.shipper.close(1_000);
  await other.clock.advance(1_000);
  await given;
  const tried = other.requests.length;
  await other.clock.advance(10_000);
  expect(tried).toBeGreaterThan(1);
  expect(other.requests.length).toBe(tried);
});
