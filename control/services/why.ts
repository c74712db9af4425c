// What holds an execution up: for each open command what it waits for, in a code, a sentence and
// the facts. Everything is read as it stands, nothing is changed.

import type { ExecutionState, OpenCommand } from "#core/engine/state";
import { ruleKeys } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { aheadRowsMax, pageSizeMax } from "#core/model/limits";
import type { OpenRow } from "#core/ports/command-rows";
import type { RuleState } from "#core/ports/dispatch-rules";
import type { RuntimeRow } from "#core/ports/runtime-registry";
import type { Executions } from "./executions.ts";
import { isResumeRow } from "./rows.ts";

export interface Hold {
  readonly code: string;
  /** One sentence without a full stop. */
  readonly text: string;
  readonly details?: JsonObject;
}

export interface Waiting {
  readonly commandId: CommandId;
  readonly step: string;
  readonly attempt: number;
  readonly state: "ready" | "leased" | "expired" | "timer" | "child" | "wait";
  readonly holds: readonly Hold[];
}

export interface Why {
  readonly executionId: ExecutionId;
  readonly path: string;
  readonly status: string;
  /** What holds the execution as a whole. */
  readonly holds: readonly Hold[];
  readonly waiting: readonly Waiting[];
}

interface House {
  readonly rules: readonly RuleState[];
  /** Undefined when no worker has ever registered: nothing can be said of them. */
  readonly workers: readonly RuntimeRow[] | undefined;
}

/** @param step only what waits in this step. @throws Fault `not_found`. */
export async function whyOf(executions: Executions, id: ExecutionId, step?: string): Promise<Why> {
  const { log, runtime } = executions.context;
  const head = await log.head(id);
  if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
  const { path, status } = head.row;
  const why = { executionId: id, path, status };
  if (status !== "running") {
    return { ...why, waiting: [], holds: [{ code: "ended", text: `it has ended: ${status}` }] };
  }
  const reason = await log.quarantined(id);
  if (reason !== undefined) {
    const text = `it is in quarantine: ${reason}`;
    return { ...why, waiting: [], holds: [{ code: "quarantined", text, details: { reason } }] };
  }
  const [rows, rules, known, live] = await Promise.all([
    log.openRows(id, pageSizeMax),
    log.rules(),
    runtime.list("worker_pool", 1),
    runtime.live("worker_pool"),
  ]);
  const house = { rules, workers: known.length === 0 ? undefined : live };
  const byId = new Map(rows.map((open) => [open.row.commandId, open]));
  const waiting = await executions.read(id, (state) =>
    [...state.commands.values()]
      .filter((command) => step === undefined || command.step === step)
      .slice(0, pageSizeMax)
      .map((command) => waitingOf(command, byId.get(command.commandId), house)),
  );
  return { ...why, waiting, holds: rows.some(({ row }) => isResumeRow(row)) ? [goingOn] : [] };
}

const goingOn: Hold = {
  code: "engine",
  text: "the engine has more to decide and goes on by itself",
};

type Command = ExecutionState["commands"] extends Map<CommandId, infer Value> ? Value : OpenCommand;

function waitingOf(command: Command, open: OpenRow | undefined, house: House): Waiting {
  const { commandId, step, attempt, child, wait } = command;
  const of = { commandId, step, attempt };
  if (child !== undefined) {
    const text = `it waits for execution ${child.id} of ${child.path}${leftOf(open)}`;
    const details = { execution_id: child.id, path: child.path };
    return { ...of, state: "child", holds: [{ code: "child", text, details }] };
  }
  if (wait !== undefined && wait.for !== "timer") {
    const text = `it waits for ${withArticle(wait.for)} under the key ${wait.key}${leftOf(open)}`;
    const details = { key: wait.key, for: wait.for };
    return { ...of, state: "wait", holds: [{ code: "wait", text, details }] };
  }
  if (open === undefined) {
    const text = "its row is missing: noetl rebuild makes it anew";
    return { ...of, state: "expired", holds: [{ code: "no_row", text }] };
  }
  if (open.row.kind === "timer") {
    const { dueInMs = 0 } = open;
    const text = dueInMs === 0 ? "its time has come" : `its time comes in ${span(dueInMs)}`;
    const details = { due_in_ms: Math.round(dueInMs) };
    return { ...of, state: "timer", holds: [{ code: "timer", text, details }] };
  }
  return { ...of, state: open.status, holds: holdsOf(open, house) };
}

const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;

/** How long it still waits, where that has an end. */
function leftOf(open: OpenRow | undefined): string {
  return open?.dueInMs === undefined ? "" : `, ${span(open.dueInMs)} at most`;
}

function holdsOf(open: OpenRow, house: House): readonly Hold[] {
  const { status } = open;
  switch (status) {
    case "leased":
      return [leased(open)];
    case "expired":
      return [{ code: "expired", text: "its worker is lost, it is about to be issued again" }];
    case "ready":
      return readyHolds(open, house);
    default:
      return status satisfies never;
  }
}

function leased({ row, handed, leaseLeftMs = 0 }: OpenRow): Hold {
  const { worker = "unknown" } = row;
  const alone = row.suspect ? ", alone because it may have killed its last worker" : "";
  const left =
    leaseLeftMs > 0
      ? `its lease ends in ${span(leaseLeftMs)} unless renewed`
      : `its lease ran out ${span(-leaseLeftMs)} ago`;
  const text = handed
    ? `handed to worker ${worker}, which has not spoken of it yet`
    : `it runs on worker ${worker}${alone}; ${left}`;
  const details = { worker, lease_left_ms: Math.round(leaseLeftMs) };
  return { code: handed ? "handed_over" : "leased", text, details };
}

function readyHolds(open: OpenRow, { rules, workers }: House): readonly Hold[] {
  const { row, ahead, dueInMs, waitedMs } = open;
  if (dueInMs !== undefined) {
    return [{ code: "timer", text: `it is due in ${span(dueInMs)}` }];
  }
  const holds: Hold[] = [];
  const keys = ruleKeys(row.pool, row.terms);
  for (const rule of rules) if (keys.includes(rule.rule.key)) holds.push(...ruleHolds(rule));
  holds.push(...workerHolds(open, workers));
  if (row.suspect) {
    const text = "it may have killed its last worker and waits for one that holds nothing else";
    holds.push({ code: "suspect", text });
  }
  if (ahead > 0) {
    const count = ahead >= aheadRowsMax ? `${aheadRowsMax} or more` : String(ahead);
    const text = `${count} ${ahead === 1 ? "command stands" : "commands stand"} before it in pool ${row.pool}`;
    holds.push({ code: "ahead", text, details: { ahead, pool: row.pool } });
  }
  if (holds.length > 0) return holds;
  const text = `nothing holds it: it has waited ${span(waitedMs)} for a worker with a free slot`;
  return [{ code: "next", text, details: { waited_ms: Math.round(waitedMs) } }];
}

function ruleHolds({ rule, running, holders, nextStartMs }: RuleState): readonly Hold[] {
  const { key, maxRunning, perSecond } = rule;
  const holds: Hold[] = [];
  if (maxRunning !== undefined && running >= maxRunning) {
    const who = holders
      .slice(0, 3)
      .map(({ commandId, worker, heldMs }) => `${commandId} on ${worker} for ${span(heldMs)}`);
    const more = running > who.length && who.length > 0 ? ", …" : "";
    const list = who.length === 0 ? "" : ` (${who.join(", ")}${more})`;
    const details = {
      key,
      running,
      max_running: maxRunning,
      holders: holders.map(({ commandId, worker, heldMs }) => ({
        command_id: commandId,
        execution_id: executionIn(commandId),
        worker,
        held_ms: Math.round(heldMs),
      })),
    };
    const text = `rule ${key} is full: ${running} of ${maxRunning} run${list}`;
    holds.push({ code: "rule_full", text, details });
  }
  if (nextStartMs !== undefined && nextStartMs > 0) {
    const text = `rule ${key} lets ${perSecond ?? 0} start a second: the next in ${span(nextStartMs)}`;
    holds.push({ code: "rule_rate", text, details: { key, next_start_ms: nextStartMs } });
  }
  return holds;
}

export function executionIn(commandId: CommandId): string {
  return commandId.slice(0, commandId.indexOf(":"));
}

function workerHolds(
  { row }: OpenRow,
  workers: readonly RuntimeRow[] | undefined,
): readonly Hold[] {
  if (workers === undefined) return [];
  const { pool, terms } = row;
  const inPool = workers.filter(({ pools }) => pools.includes(pool));
  if (inPool.length === 0) {
    const text = `no live worker claims pool ${pool}`;
    return [{ code: "no_worker", text, details: { pool } }];
  }
  const able = inPool.filter(({ labels }) => terms.labels.every((label) => labels.includes(label)));
  if (able.length === 0) {
    const labels = terms.labels.join(", ");
    const text = `no live worker of pool ${pool} has the labels ${labels}`;
    return [{ code: "labels", text, details: { pool, labels: [...terms.labels] } }];
  }
  const busy = able.every(({ load }) => load !== undefined && load.free === 0);
  if (!busy) return [];
  const text = `every worker that could run it is busy: ${able.map(({ name }) => name).join(", ")}`;
  return [{ code: "busy", text, details: { workers: able.map(({ name }) => name) } }];
}

/** `340 ms`, `12 s`, `3 min`, `2 h`. */
function span(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 120_000) return `${Math.round(durationMs / 1_000)} s`;
  return durationMs < 7_200_000
    ? `${Math.round(durationMs / 60_000)} min`
    : `${Math.round(durationMs / 3_600_000)} h`;
}

/** The same for people, a line each. */
export function whyText({ path, status, holds, waiting }: Why): readonly string[] {
  const lines = [`${path}: ${status}`, ...holds.map(({ text }) => text)];
  for (const { step, attempt, holds: held } of waiting) {
    const name = attempt === 1 ? step : `${step} (attempt ${attempt})`;
    for (const { text } of held) lines.push(`${name}: ${text}`);
  }
  if (holds.length === 0 && waiting.length === 0) lines.push("nothing is open");
  return lines;
}
