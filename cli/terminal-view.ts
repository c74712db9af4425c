// A run on a terminal: what has ended scrolls away as lines, what is under way stands below them
// and is drawn anew, at most 20 times a second. The only file that moves the cursor.

import { unreachable } from "#core/model/fault";
import type { Change, ExecutionProgress, StepProgress } from "./run-progress.ts";
import { endText, type RunView, retryText, stepDetails, stepName } from "./run-view.ts";
import { cutLine, durationText, type Paint } from "./terminal-text.ts";

export interface TerminalViewOptions {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  /** Asked at every drawing, for a terminal may change. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly running: () => readonly StepProgress[];
  readonly nowMs: () => number;
}

const redrawMs = 50;
/** The clock and the sign of life move even when nothing happens. */
const tickMs = 100;
const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;
const barCells = 20;
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";

export function terminalView(options: TerminalViewOptions): RunView {
  const { write, nowMs } = options;
  let finished: string[] = [];
  let drawnLines = 0;
  let drawnAtMs = 0;
  let pending: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  const draw = (live: readonly string[]): void => {
    const up = drawnLines === 0 ? "\r" : `\u001b[${drawnLines}A\r`;
    const text = [...finished, ...live].map((line) => `${line}\n`).join("");
    // Wrapped in one synchronised update, so that terminals that know it don't flicker.
    write(`\u001b[?2026h${up}\u001b[J${text}\u001b[?2026l`);
    finished = [];
    drawnLines = live.length;
    drawnAtMs = nowMs();
  };
  const redraw = (): void => {
    clearTimeout(pending);
    pending = undefined;
    draw(liveLines(options));
  };
  const soon = (): void => {
    if (!isClosed) pending ??= setTimeout(redraw, Math.max(0, drawnAtMs + redrawMs - nowMs()));
  };
  const scroll = (line: string): void => {
    finished.push(line);
    soon();
  };

  write(hideCursor);
  const ticking = setInterval(soon, tickMs);
  return {
    show: (change) => {
      const line = finishedLine(change, options);
      if (line === undefined) soon();
      else scroll(line);
    },
    output: ({ step, text }) => {
      const { columns } = options.size();
      scroll(options.paint("dim", cutLine(`  ${step} │ ${text}`, columns - 1)));
    },
    retry: (line) => {
      const { columns } = options.size();
      scroll(options.paint("yellow", cutLine(`↻ ${retryText(line)}`, columns - 1)));
    },
    notice: (text) => scroll(options.paint("yellow", cutLine(text, options.size().columns - 1))),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearInterval(ticking);
      clearTimeout(pending);
      draw([]);
      write(showCursor);
    },
  };
}

function finishedLine(change: Change, options: TerminalViewOptions): string | undefined {
  const { paint, size } = options;
  const room = size().columns - 1;
  switch (change.type) {
    case "exited":
      return exitedLine(change.step, options);
    case "ended": {
      const { execution } = change;
      if (execution.depth === 0) return undefined;
      const text = `${indent(execution.depth)}${execution.path} ${endText(execution)}`;
      return paint("dim", cutLine(text, room));
    }
    case "started":
      return startedLine(change.execution, options);
    case "call failed": {
      const { step, iteration, message } = change;
      if (iteration === undefined) return undefined;
      const text = `${indent(step.execution.depth)}  ${step.step} item ${iteration}: ${message}`;
      return paint("red", cutLine(text, room));
    }
    case "reissued": {
      const text = `${indent(change.step.execution.depth)}↻ ${change.step.step} runs again: ${change.reason}`;
      return paint("yellow", cutLine(text, room));
    }
    case "skipped":
      return paint(
        "dim",
        cutLine(`${indent(change.execution.depth)}· ${change.step} skipped`, room),
      );
    case "entered":
    case "advanced":
      return undefined;
    default:
      return unreachable(change);
  }
}

function startedLine(execution: ExecutionProgress, options: TerminalViewOptions): string {
  const { paint, size } = options;
  const { id, path, version, depth } = execution;
  const room = size().columns - 1;
  if (depth > 0) return paint("dim", cutLine(`${indent(depth)}${path} version ${version}`, room));
  const name = cutLine(path, room);
  const rest = cutLine(` version ${version}, execution ${id}`, room - Bun.stringWidth(name));
  return paint("bold", name) + paint("dim", rest);
}

/** Names stand in a column that leaves room for the rest on narrow terminals. */
const nameColumns = (room: number): number => Math.max(10, Math.min(24, Math.floor(room * 0.4)));

function exitedLine(step: StepProgress, { paint, size }: TerminalViewOptions): string {
  const room = size().columns - 1;
  const isFailed = step.status === "failed";
  const sign = step.status === "completed" ? "✓" : isFailed ? "✗" : "↷";
  const color = step.status === "completed" ? "green" : isFailed ? "red" : "yellow";
  const head = `${indent(step.execution.depth)}${sign} `;
  const name = stepName(step).padEnd(nameColumns(room) - head.length);
  const time = durationText(step.durationMs ?? 0).padStart(9);
  const details = stepDetails(step).join(", ");
  const text = cutLine(`${head}${name} ${time}  ${details}`.trimEnd(), room);
  const rest = text.slice(head.length);
  return `${paint(color, text.slice(0, head.length))}${isFailed ? paint("red", rest) : rest}`;
}

/** The lines that stand below: a terminal never scrolls them, so they are fewer than its rows. */
function liveLines(options: TerminalViewOptions): readonly string[] {
  const { rows } = options.size();
  const running = options.running();
  const shown = running.slice(0, Math.max(1, rows - 3));
  const lines = shown.map((step) => liveLine(step, options));
  if (shown.length === running.length) return lines;
  return [...lines, options.paint("dim", `  … and ${running.length - shown.length} more`)];
}

function liveLine(step: StepProgress, { paint, size, nowMs }: TerminalViewOptions): string {
  const room = size().columns - 1;
  const now = nowMs();
  const sign = spinner[Math.floor(now / tickMs) % spinner.length] ?? "·";
  const head = `${indent(step.execution.depth)}${sign} `;
  const name = stepName(step).padEnd(nameColumns(room) - head.length);
  const time = durationText(Math.max(0, now - step.startedAtMs)).padStart(9);
  const details = [
    ...(step.loop === undefined ? [] : [loopBar(step.loop)]),
    ...(step.attempts > 1 ? [`attempt ${step.attempts}`] : []),
  ];
  const text = cutLine(`${head}${name} ${time}  ${details.join(", ")}`.trimEnd(), room);
  return `${paint("cyan", text.slice(0, head.length))}${text.slice(head.length)}`;
}

/** The count stands first: it is what counts when the bar is cut off. */
function loopBar({ total, done, failed }: NonNullable<StepProgress["loop"]>): string {
  const cells = total === 0 ? barCells : Math.floor((done / total) * barCells);
  const bar = "█".repeat(cells) + "░".repeat(barCells - cells);
  return `${done}/${total} ${bar}${failed === 0 ? "" : ` ${failed} failed`}`;
}

function indent(depth: number): string {
  return "  ".repeat(depth);
}
