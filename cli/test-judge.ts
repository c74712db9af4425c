// What came of a test against what was expected of it, from the log alone: every expectation that is
// not met is one line, with the place of the first difference.

import type { Event } from "#core/model/event";
import { terminalStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type {
  EventPattern,
  ExpectDocument,
  PlaybookTest,
  StepExpectation,
} from "#core/playbook/test-document";
import { differenceOf, shown } from "./test-difference.ts";
import type { TestHouse } from "./test-house.ts";

export interface Judged {
  readonly house: TestHouse;
  readonly rootId: ExecutionId;
  readonly test: PlaybookTest;
  /** Of the execution, the whole value. */
  readonly result: Json | undefined;
  readonly variables: JsonObject;
}

/** Everything that is not as the test expects it; nothing when it has passed. */
export function judge(judged: Judged): readonly string[] {
  const { house, rootId, test, result, variables } = judged;
  const { expect } = test;
  const own = house.record.events.filter((event) => event.execution_id === rootId);
  const found = [
    statusProblem(expect, own),
    expect.result === undefined ? undefined : whole(expect.result[0], result, "result"),
    expect.resultContains === undefined
      ? undefined
      : part(expect.resultContains[0], result, "result"),
    expect.path === undefined ? undefined : whole(expect.path, pathOf(own), "path"),
    ...[...expect.steps].map(([step, wanted]) => stepProblem(step, wanted, own)),
    ...[...expect.calls].map(([step, wanted]) => callsProblem(judged, own, { step, wanted })),
    eventsProblem(judged, expect.events),
    ...expect.noEvents.map((pattern) => noEventProblem(judged, pattern)),
    expect.variables === undefined ? undefined : part(expect.variables, variables, "variables"),
    emittedProblem(expect, own),
    errorProblem(expect, own),
    timeProblem(expect, own),
  ];
  return found.filter((problem) => problem !== undefined);
}

function whole(expected: Json, found: Json | undefined, path: string): string | undefined {
  return differenceOf(expected, found, { path, contains: false });
}

function part(expected: Json, found: Json | undefined, path: string): string | undefined {
  return differenceOf(expected, found, { path, contains: true });
}

function endOf(events: readonly Event[]): { readonly status: string; readonly message?: string } {
  const last = events.at(-1);
  const status = last === undefined ? undefined : terminalStatus(last);
  if (last === undefined || status === undefined) return { status: "running" };
  if (last.type === "playbook.failed") return { status, message: last.error.message };
  if (last.type === "playbook.cancelled" && last.reason !== undefined) {
    return { status, message: last.reason };
  }
  return { status };
}

function statusProblem(expect: ExpectDocument, events: readonly Event[]): string | undefined {
  const { status, message } = endOf(events);
  if (status === expect.status) return undefined;
  const why = message === undefined ? "" : `: ${message}`;
  return `status: expected ${expect.status}, found ${status}${why}`;
}

function pathOf(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.type === "step.enter" ? [event.step] : []));
}

function stepProblem(
  step: string,
  { visits, status }: StepExpectation,
  events: readonly Event[],
): string | undefined {
  const entered = pathOf(events).filter((name) => name === step).length;
  if (visits !== undefined && visits !== entered) {
    return `steps.${step}.visits: expected ${visits}, found ${entered}`;
  }
  const found = stepStatus(step, events);
  if (status === undefined || status === found) return undefined;
  return `steps.${step}.status: expected ${status}, found ${found}`;
}

function stepStatus(step: string, events: readonly Event[]): string {
  const last = events.findLast(
    (event) =>
      (event.type === "step.exit" ||
        event.type === "step.skipped" ||
        event.type === "step.enter") &&
      event.step === step,
  );
  switch (last?.type) {
    case "step.exit":
      return last.recovered === true ? "recovered" : last.status;
    case "step.skipped":
      return "skipped";
    case "step.enter":
      return "running";
    default:
      return "never";
  }
}

/** Kinds whose calls no tool runs: how often they were issued says how often they ran. */
const engineKinds: ReadonlySet<string> = new Set(["playbook", "agent", "wait"]);

function callsProblem(
  { house, rootId }: Judged,
  events: readonly Event[],
  { step, wanted }: { readonly step: string; readonly wanted: number },
): string | undefined {
  const issued = events.filter(
    (event) =>
      event.type === "command.issued" && event.step === step && engineKinds.has(event.kind),
  );
  const path = house.record.pathOf(rootId) ?? "";
  const found = issued.length > 0 ? issued.length : house.mocks.calls(path, step);
  return found === wanted ? undefined : `calls.${step}: expected ${wanted}, found ${found}`;
}

/** In order, with any others between. */
function eventsProblem(judged: Judged, patterns: readonly EventPattern[]): string | undefined {
  const { events } = judged.house.record;
  let at = 0;
  for (const [index, pattern] of patterns.entries()) {
    const next = events.findIndex((event, place) => place >= at && matches(judged, event, pattern));
    if (next < 0) {
      const anywhere = events.some((event) => matches(judged, event, pattern));
      const found = anywhere ? "only before the others" : "none";
      return `events[${index}]: expected ${shown(pattern.holds)}, found ${found}`;
    }
    at = next + 1;
  }
  return undefined;
}

function noEventProblem(judged: Judged, pattern: EventPattern): string | undefined {
  const found = judged.house.record.events.find((event) => matches(judged, event, pattern));
  if (found === undefined) return undefined;
  return `no_events: expected no ${shown(pattern.holds)}, found one (seq ${found.seq})`;
}

function matches({ house, rootId }: Judged, event: Event, pattern: EventPattern): boolean {
  const { playbook, holds } = pattern;
  const { record } = house;
  const isOf =
    playbook === undefined
      ? event.execution_id === rootId
      : record.pathOf(event.execution_id) === playbook;
  if (!isOf || holds["type"] !== event.type) return false;
  const step =
    "command_id" in event ? record.issued(event.command_id ?? commandless)?.step : undefined;
  // Events are JSON, spelled as types.
  const seen = { ...(step === undefined ? {} : { step }), ...event } as unknown as JsonObject;
  return part(holds, seen, "") === undefined;
}

type CommandOf = Extract<Event, { type: "command.issued" }>["command_id"];
const commandless = "" as CommandOf;

function emittedProblem({ emitted }: ExpectDocument, events: readonly Event[]): string | undefined {
  if (emitted === undefined) return undefined;
  const found = events.filter((event) => event.type === "event.emitted");
  const names = found.map(({ name }) => name).join(", ");
  for (const [index, { event: name, data }] of emitted.entries()) {
    const own = found[index];
    if (own === undefined || own.name !== name) {
      const wanted = shown(name ?? null);
      return `emitted[${index}]: expected ${wanted}, found ${names === "" ? "none" : names}`;
    }
    const problem = data === undefined ? undefined : part(data, own.data, `emitted[${index}].data`);
    if (problem !== undefined) return problem;
  }
  if (found.length === emitted.length) return undefined;
  return `emitted: expected ${emitted.length}, found ${found.length}: ${names}`;
}

function errorProblem({ error }: ExpectDocument, events: readonly Event[]): string | undefined {
  if (error === undefined) return undefined;
  const { message } = endOf(events);
  const source = /^\/(.+)\/$/s.exec(error)?.[1];
  const isThere =
    message !== undefined &&
    (source === undefined ? message.includes(error) : new RegExp(source, "u").test(message));
  if (isThere) return undefined;
  const found = message === undefined ? "none" : JSON.stringify(message);
  return `error: expected ${source === undefined ? JSON.stringify(error) : error}, found ${found}`;
}

function timeProblem({ virtualMs }: ExpectDocument, events: readonly Event[]): string | undefined {
  const { min, max } = virtualMs;
  const tookMs = virtualMsOf(events);
  if (min !== undefined && tookMs < min) {
    return `virtual_s: expected at least ${min / 1_000}, found ${tookMs / 1_000}`;
  }
  if (max !== undefined && tookMs > max) {
    return `virtual_s: expected at most ${max / 1_000}, found ${tookMs / 1_000}`;
  }
  return undefined;
}

/** From the first event of an execution to its last. */
export function virtualMsOf(events: readonly Event[]): number {
  return (events.at(-1)?.time ?? 0) - (events[0]?.time ?? 0);
}

/** The value that an execution ended with, as its log has it. */
export function resultOf(events: readonly Event[]): Json | undefined {
  const last = events.at(-1);
  if (last === undefined || !("result" in last)) return undefined;
  return last.result as Json | undefined;
}

/** Where the result is kept, if it is too large for the log. */
export function resultRefOf(events: readonly Event[]): string | undefined {
  const last = events.at(-1);
  const ref = last !== undefined && "result_ref" in last ? last.result_ref : undefined;
  return isJsonObject(ref) && typeof ref["ref"] === "string" ? ref["ref"] : undefined;
}
