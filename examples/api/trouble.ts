// Routes that misbehave on purpose, each in one way and always in the same way: failures that
// pass, limits on the rate, delays and large answers.

import { type Call, type Handler, json, numberOf } from "./answers.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { ApiClock } from "./clock.ts";

const delayMsMax = 10_000;
const rowBytes = 1_024;
const heavyRowsMax = 16_384;

/** `?fails=2&status=503`: fails that often for each key, then answers well. */
export function flaky(): Handler {
  const attempts = new BoundedMap<number>();
  return (call) => {
    const fails = numberOf(call, "fails", { fallback: 2, min: 0, max: 1_000 });
    const status = numberOf(call, "status", { fallback: 503, min: 400, max: 599 });
    const key = call.params["key"] ?? "";
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (attempt > fails) return json({ key, attempt });
    const message = `attempt ${attempt} of ${fails} that fail`;
    return json({ error: { code: status, message } }, status);
  };
}

/** `?limit=1&window_ms=1000`: more calls per key and window than that get 429 with Retry-After. */
export function limited(clock: ApiClock): Handler {
  const windows = new BoundedMap<{ readonly startMs: number; readonly calls: number }>();
  return (call) => {
    const limit = numberOf(call, "limit", { fallback: 1, min: 1, max: 1_000 });
    const windowMs = numberOf(call, "window_ms", { fallback: 1_000, min: 1, max: 60_000 });
    const key = call.params["key"] ?? "";
    const nowMs = clock.nowMs();
    const known = windows.get(key);
    const isOpen = known !== undefined && nowMs < known.startMs + windowMs;
    const window = isOpen ? known : { startMs: nowMs, calls: 0 };
    windows.set(key, { ...window, calls: window.calls + 1 });
    if (window.calls < limit) return json({ key, call: window.calls + 1 });
    const waitS = Math.ceil((window.startMs + windowMs - nowMs) / 1_000);
    const message = `more than ${limit} calls in ${windowMs} ms`;
    return json({ error: { code: 429, message } }, 429, { "retry-after": String(waitS) });
  };
}

/** `?ms=200`: answers after that time and says how many calls were waiting, this one included. */
export function slow(clock: ApiClock): Handler {
  let waiting = 0;
  return async (call) => {
    const delayMs = numberOf(call, "ms", { fallback: 200, min: 0, max: delayMsMax });
    waiting += 1;
    const together = waiting;
    try {
      await clock.sleep(delayMs);
    } finally {
      waiting -= 1;
    }
    return json({ key: call.params["key"], waited_ms: delayMs, together });
  };
}

/** `?rows=256`: a list of rows of about one KiB each, and what they add up to. */
export function heavy(call: Call): Response {
  const count = numberOf(call, "rows", { fallback: 256, min: 0, max: heavyRowsMax });
  const text = "x".repeat(rowBytes - 32);
  const rows = Array.from({ length: count }, (_, index) => ({ id: index + 1, text }));
  return json({ count, sum_of_ids: (count * (count + 1)) / 2, rows });
}
