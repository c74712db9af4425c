// How long to wait before a request that failed is made again: twice as long each time up to a
// bound, and half of it by chance, so that many workers don't come back at the same moment.

import { workerRetryMs, workerRetryMsMax } from "#core/model/limits";

/**
 * Milliseconds before the next try.
 * @param failures in a row, from 1.
 * @param random gives numbers from 0 to 1.
 */
export function retryDelayMs(failures: number, random: () => number): number {
  const wholeMs = Math.min(workerRetryMs * 2 ** (failures - 1), workerRetryMsMax);
  return Math.ceil(wholeMs * (0.5 + random() / 2));
}
