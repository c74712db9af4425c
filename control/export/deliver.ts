// Brings items to a place, in pieces that it can take. What the place can't take now is brought
// again; what it won't take is halved until one item is left, which is left out and counted.

import { exportBodyBytesMax, exportRetryMs, exportRetryMsMax } from "#core/model/export-limits";
import { Fault, messageOf } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { Ask, ExportAnswer, ExportSink } from "./sink.ts";

export interface Delivering {
  readonly sink: ExportSink;
  readonly ask: Ask;
  readonly clock: Clock;
  readonly ended: AbortSignal;
  readonly report: (message: string) => void;
  /** From 0 to 1: spreads what many would do at the same moment. */
  readonly random: () => number;
  readonly bodyBytesMax?: number;
  onRetry(): void;
  onSent(items: number): void;
  onRejected(items: number): void;
}

type Verdict = "taken" | "later" | "refused";

/** It is the request as a whole that is not let in or not known: no part of it would be. */
const refusedWhole: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 425, 429]);

function verdictOf({ status }: ExportAnswer): Verdict {
  if (status >= 200 && status < 300) return "taken";
  if (status < 400 || status >= 500 || refusedWhole.has(status)) return "later";
  return "refused";
}

/** Returns once every item has been taken or left out, or `ended` has aborted: then false. */
export async function deliver(run: Delivering, items: readonly string[]): Promise<boolean> {
  for (const piece of pieces(items, run.bodyBytesMax ?? exportBodyBytesMax)) {
    // A piece of which nothing is taken says more about the place than about the items.
    for (let tries = 0; ; tries++) {
      const refusals: string[] = [];
      if (!(await deliverPiece(run, piece, refusals))) return false;
      const isPlace = piece.length > 1 && refusals.length === piece.length;
      if (!isPlace) {
        leaveOut(run, refusals);
        break;
      }
      await rest(run, tries, { reason: refusals[0] ?? "" });
      if (run.ended.aborted) return false;
    }
  }
  return true;
}

function leaveOut({ sink, report, onRejected }: Delivering, refusals: readonly string[]): void {
  const [first] = refusals;
  if (first === undefined) return;
  onRejected(refusals.length);
  report(
    `export ${sink.name}: ${refusals.length} of the items were refused and left out: ${first}`,
  );
}

/** One request with all of them, or as many as it takes; each refused item has a reason. */
async function deliverPiece(
  run: Delivering,
  items: readonly string[],
  refusals: string[],
): Promise<boolean> {
  const answer = await accepted(run, items);
  if (answer === undefined) return false;
  if (verdictOf(answer) === "taken") {
    const partly = run.sink.partlyRefused?.(answer);
    const refused = Math.min(partly?.count ?? 0, items.length);
    run.onSent(items.length - refused);
    if (partly !== undefined && refused > 0) {
      leaveOut(
        run,
        Array.from({ length: refused }, () => partly.reason),
      );
    }
    return true;
  }
  if (items.length <= 1) {
    refusals.push(saidOf(answer));
    return true;
  }
  const half = Math.ceil(items.length / 2);
  return (
    (await deliverPiece(run, items.slice(0, half), refusals)) &&
    (await deliverPiece(run, items.slice(half), refusals))
  );
}

/** Asks until there is an answer that settles it; undefined when it ended before. */
async function accepted(
  run: Delivering,
  items: readonly string[],
): Promise<ExportAnswer | undefined> {
  const request = run.sink.request(items);
  for (let tries = 0; !run.ended.aborted; tries++) {
    const answer = await run.ask(request).catch((thrown: unknown) => {
      if (!(thrown instanceof Fault && thrown.retryable)) throw thrown;
      return messageOf(thrown);
    });
    if (run.ended.aborted) return undefined;
    if (typeof answer === "string") {
      await rest(run, tries, { reason: answer });
      continue;
    }
    if (verdictOf(answer) !== "later") return answer;
    await rest(run, tries, { reason: saidOf(answer), ...answer });
  }
  return undefined;
}

interface Rest {
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** Longer each time, and as long as the place asks for. */
export async function rest(
  { sink, clock, ended, report, random, onRetry }: Omit<Delivering, "ask">,
  tries: number,
  { reason, retryAfterMs = 0 }: Rest,
): Promise<void> {
  if (tries === 0) report(`export ${sink.name}: held up: ${reason}`);
  onRetry();
  const fullMs = Math.min(exportRetryMs * 2 ** Math.min(tries, 16), exportRetryMsMax);
  const waitMs = fullMs / 2 + (fullMs / 2) * random();
  await clock.sleep(Math.max(waitMs, retryAfterMs), ended);
}

/** The status alone: an answer may repeat what was sent. */
function saidOf({ status }: ExportAnswer): string {
  return `status ${status}`;
}

/** Runs of items that fit a body together; one that is too large alone is sent alone. */
export function* pieces(
  items: readonly string[],
  bytesMax: number,
): Generator<readonly string[], void> {
  let piece: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const own = Buffer.byteLength(item) + 1;
    if (piece.length > 0 && bytes + own > bytesMax) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push(item);
    bytes += own;
  }
  if (piece.length > 0) yield piece;
}
