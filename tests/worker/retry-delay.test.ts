// Proves that waits grow, are bounded, and differ from worker to worker.

import { expect, test } from "bun:test";
import { workerRetryMs, workerRetryMsMax } from "#core/model/limits";
import { retryDelayMs } from "#worker/retry-delay";

test("a wait is twice as long each time, up to the longest", () => {
  const delays = Array.from({ length: 20 }, (_, n) => retryDelayMs(n + 1, () => 1));
  expect(delays.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => workerRetryMs * times));
  expect(delays.at(-1)).toBe(workerRetryMsMax);
});

test("half of a wait is chance", () => {
  expect(retryDelayMs(1, () => 0)).toBe(workerRetryMs / 2);
  expect(retryDelayMs(30, () => 0)).toBe(workerRetryMsMax / 2);
  expect(retryDelayMs(1, () => 0.5)).toBe(workerRetryMs * 0.75);
});
