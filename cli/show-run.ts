// Shows one run from its start to its end: starts it, follows it, draws it, and lets the first
// interrupt cancel it and the second one quit.

import type { ExecutionStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import { exitCancelled } from "./exit-codes.ts";
import { follow } from "./follow.ts";
import { plainView } from "./plain-view.ts";
import type { RunHost, RunListener, RunRequest } from "./run-host.ts";
import { type ExecutionProgress, type RunProgress, runProgress } from "./run-progress.ts";
import { runReport } from "./run-report.ts";
import { endText, type RetryLine, type RunView } from "./run-view.ts";
import { painter, valueLines, wantsColor } from "./terminal-text.ts";
import { terminalView } from "./terminal-view.ts";

export interface ShowOptions {
  readonly request: RunRequest;
  /** One JSON document on standard output, and nothing else there. */
  readonly json: boolean;
  /** Lines that tools print are shown. */
  readonly verbose: boolean;
}

const resultLinesMax = 24;

/** @returns the status that the execution ended with. */
export async function showRun(host: RunHost, options: ShowOptions): Promise<ExecutionStatus> {
  const early: string[] = [];
  host.listen({ ...silent, notice: (text) => early.push(text) });
  let view: RunView | undefined;
  let interrupts: Interrupts | undefined;
  try {
    const rootId = await host.start(options.request);
    const progress = runProgress(rootId);
    const shown = viewOf(options, progress);
    view = shown;
    const retries = retryQueue(progress, shown);
    for (const text of early) shown.notice(text);
    host.listen({
      output: (line) => (options.verbose ? shown.output(line) : undefined),
      retry: retries.add,
      notice: shown.notice,
    });
    interrupts = onInterrupt(host, progress, shown);
    await follow({
      source: host.source,
      rootId,
      untilChildrenEnd: host.untilChildrenEnd,
      onEvent: (event) => {
        const change = progress.fold(event);
        if (change !== undefined) shown.show(change);
        retries.show();
      },
    });
    await host.heard();
    host.listen({ ...silent, notice: (text) => console.error(text) });
    shown.close();
    await tellEnd(host, progress.root, options);
    return progress.root.status;
  } finally {
    view?.close();
    await host.close();
    interrupts?.release();
  }
}

const silent: RunListener = { output: () => {}, retry: () => {}, notice: () => {} };

interface RetryQueue {
  add(line: RetryLine): void;
  show(): void;
}

/** Workers tell of retries at once, the log of the step a moment later: the step comes first. */
function retryQueue(progress: RunProgress, view: RunView): RetryQueue {
  let waiting: RetryLine[] = [];
  const show = (): void => {
    const running = new Set(progress.running().map(({ step }) => step));
    const known = waiting.filter(({ step }) => running.has(step));
    waiting = waiting.filter(({ step }) => !running.has(step));
    for (const line of known) view.retry(line);
  };
  return {
    add: (line) => {
      waiting.push(line);
      show();
    },
    show,
  };
}

function viewOf({ json }: ShowOptions, progress: RunProgress): RunView {
  if (json) {
    return {
      show: () => {},
      retry: () => {},
      output: ({ step, text }) => console.error(`${step}: ${text}`),
      notice: (text) => console.error(text),
      close: () => {},
    };
  }
  if (process.stdout.isTTY !== true) return plainView((line) => console.log(line));
  return terminalView({
    write: (text) => process.stdout.write(text),
    paint: painter(wantsColor(process.stdout)),
    size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
    running: progress.running,
    nowMs: Date.now,
  });
}

interface Interrupts {
  release(): void;
}

/** The first interrupt cancels everything that still runs; the next one leaves at once. */
function onInterrupt(host: RunHost, progress: RunProgress, view: RunView): Interrupts {
  let asked = false;
  const interrupted = (): void => {
    if (asked) {
      view.close();
      process.exit(exitCancelled);
    }
    asked = true;
    view.notice("cancelling; interrupt once more to quit at once");
    const open = [...progress.executions()].filter(({ status }) => status === "running");
    for (const { id } of open) {
      host
        .cancel(id)
        .catch((thrown: unknown) => view.notice(`${id} can't be cancelled: ${thrown}`));
    }
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  return {
    release: () => {
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
    },
  };
}

async function tellEnd(
  host: RunHost,
  root: ExecutionProgress,
  { json }: ShowOptions,
): Promise<void> {
  if (json) {
    const { result, resultRef } = root;
    const whole = resultRef === undefined ? result : await host.resolve(resultRef);
    console.log(JSON.stringify(runReport(root, whole), null, 2));
    return;
  }
  const isTerminal = process.stdout.isTTY === true;
  const paint = painter(isTerminal && wantsColor(process.stdout));
  if (isTerminal) console.log(paint(root.status === "completed" ? "green" : "red", endText(root)));
  for (const line of resultLines(root)) console.log(line);
  const file = host.logFile(root.id as ExecutionId);
  if (file !== undefined) console.log(paint("dim", `log: ${file}`));
}

function resultLines({ result, resultRef }: ExecutionProgress): readonly string[] {
  if (resultRef !== undefined) {
    return [`result: ${resultRef.meta.bytes} bytes, stored as ${resultRef.ref}`];
  }
  if (result === undefined || result === null) return [];
  const [first = "", ...rest] = valueLines(result, resultLinesMax);
  return [`result: ${first}`, ...rest];
}
