// The names in a test file against the playbooks that it tests: steps, tasks and sub-playbooks that
// are there, and mocks only of what has a tool to be mocked.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { PlaybookDocument, StepDocument, ToolDocument } from "./document.ts";
import { eachMap, type Findings, quoted, type Trail } from "./problems.ts";
import { isTemplate } from "./template.ts";

export interface TestedPlaybooks {
  readonly main: PlaybookDocument;
  /** All of them, by the path under which they are registered. */
  readonly byPath: ReadonlyMap<string, PlaybookDocument>;
}

interface Checking {
  readonly playbooks: TestedPlaybooks;
  readonly findings: Findings;
}

/** Reports every name that stands for nothing. */
export function checkNames(root: JsonObject, playbooks: TestedPlaybooks, findings: Findings): void {
  const checking = { playbooks, findings };
  const defaults: Trail = { parent: undefined, key: "defaults" };
  if (isJsonObject(root.defaults)) checkMocks(root.defaults.mocks, defaults, checking);
  eachMap(root.tests, { parent: undefined, key: "tests" }, (test, trail) => {
    checkMocks(test.mocks, trail, checking);
    eachMap(test.fail_at, { parent: trail, key: "fail_at" }, (fault, place) => {
      const step = stepOf(fault, place, checking);
      if (step !== undefined) checkCallable(step, place, checking);
      if (step !== undefined) checkTask(fault, step, { place, checking });
    });
    eachMap(test.answers, { parent: trail, key: "answers" }, (answer, place) => {
      stepOf(answer, place, checking);
    });
    if (isJsonObject(test.expect)) {
      checkExpectation(test.expect, { parent: trail, key: "expect" }, checking);
    }
  });
}

function checkMocks(value: Json | undefined, trail: Trail, checking: Checking): void {
  eachMap(value, { parent: trail, key: "mocks" }, (mock, place) => {
    const step = stepOf(mock, place, checking);
    if (step === undefined) return;
    checkCallable(step, place, checking);
    checkTask(mock, step, { place, checking });
    const { findings } = checking;
    if (mock.claim !== undefined) checkClaim(step, { parent: place, key: "claim" }, findings);
    const isLooped = step.loop !== undefined;
    for (const key of ["item", "row"]) {
      if (mock[key] === undefined || isLooped) continue;
      const message = `step ${quoted(step.step)} has no loop, and no ${key}`;
      findings.keyError({ parent: place, key }, message);
    }
  });
}

function checkClaim(step: StepDocument, at: Trail, findings: Findings): void {
  const { cursor } = step.loop ?? {};
  if (cursor === undefined) {
    const message = `step ${quoted(step.step)} has no loop with a cursor, and claims nothing`;
    findings.keyError(at, message);
  } else if (cursor.kind === "nats") {
    const message = `step ${quoted(step.step)} claims from nats, which no mock stands in for`;
    findings.keyError(at, message);
  }
}

/** Steps that the engine runs by itself, or that name the playbook they call only when they run. */
function checkCallable(step: StepDocument, place: Trail, { findings }: Checking): void {
  const [tool] = step.tool;
  if (tool?.kind === "wait") {
    const message = `step ${quoted(step.step)} waits: the engine does that, use answers`;
    return findings.error({ parent: place, key: "step" }, message);
  }
  if (!isChildKind(tool)) return;
  const path = childPath(tool);
  if (path !== undefined && !isTemplate(path)) return;
  const message =
    `step ${quoted(step.step)} calls a playbook that only a template names: ` +
    "mock the steps of that playbook instead, with playbook: PATH";
  findings.error({ parent: place, key: "step" }, message);
}

export function isChildKind(tool: ToolDocument | undefined): boolean {
  return tool?.kind === "playbook" || tool?.kind === "agent";
}

/** The path of the playbook that a tool starts, as written. */
export function childPath(tool: ToolDocument | undefined): string | undefined {
  const { path, entrypoint }: JsonObject = tool ?? {};
  if (typeof path === "string") return path;
  return typeof entrypoint === "string" ? entrypoint : undefined;
}

interface TaskPlace {
  readonly place: Trail;
  readonly checking: Checking;
}

function checkTask(map: JsonObject, step: StepDocument, { place, checking }: TaskPlace): void {
  const { task } = map;
  if (typeof task !== "string") return;
  const labels = step.tool.map(labelOf);
  if (step.loop?.cursor !== undefined) labels.push("claim");
  if (labels.includes(task)) return;
  const { findings } = checking;
  const hint = findings.hint(task, labels);
  const message = `unknown task ${quoted(task)} of step ${quoted(step.step)}${hint}`;
  findings.error({ parent: place, key: "task" }, message);
}

/** The label that a task has when it runs: a workbook's entry is called by its place. */
function labelOf({ kind, name }: ToolDocument, index: number): string {
  return typeof name === "string" && name !== "" && kind !== "workbook" ? name : `task_${index}`;
}

function stepOf(map: JsonObject, place: Trail, checking: Checking): StepDocument | undefined {
  const playbook = playbookOf(map, place, checking);
  const { step } = map;
  if (playbook === undefined || typeof step !== "string") return undefined;
  return knownStep(step, playbook, { at: { parent: place, key: "step" }, checking });
}

function playbookOf(
  { playbook }: JsonObject,
  place: Trail,
  { playbooks, findings }: Checking,
): PlaybookDocument | undefined {
  if (typeof playbook !== "string") return playbooks.main;
  const known = playbooks.byPath.get(playbook);
  if (known !== undefined) return known;
  const hint = findings.hint(playbook, [...playbooks.byPath.keys()]);
  const message = `unknown playbook ${quoted(playbook)}${hint}`;
  findings.error({ parent: place, key: "playbook" }, message);
  return undefined;
}

interface StepPlace {
  readonly at: Trail;
  readonly checking: Checking;
  readonly isKey?: boolean;
}

function knownStep(
  name: string,
  { workflow, metadata }: PlaybookDocument,
  { at, checking: { findings }, isKey = false }: StepPlace,
): StepDocument | undefined {
  const found = workflow.find(({ step }) => step === name);
  if (found !== undefined) return found;
  const hint = findings.hint(
    name,
    workflow.map(({ step }) => step),
  );
  const message = `unknown step ${quoted(name)} of playbook ${quoted(metadata.name)}${hint}`;
  if (isKey) findings.keyError(at, message);
  else findings.error(at, message);
  return undefined;
}

function checkExpectation(expect: JsonObject, trail: Trail, checking: Checking): void {
  const { main } = checking.playbooks;
  const at = (key: string): Trail => ({ parent: trail, key });
  const { path } = expect;
  if (Array.isArray(path)) {
    for (let key = 0; key < path.length; key++) {
      knownStep(String(path[key]), main, { at: { parent: at("path"), key }, checking });
    }
  }
  for (const key of ["steps", "calls"]) {
    const map = expect[key];
    if (!isJsonObject(map)) continue;
    for (const name of Object.keys(map)) {
      knownStep(name, main, { at: { parent: at(key), key: name }, checking, isKey: true });
    }
  }
  for (const key of ["events", "no_events"]) {
    eachMap(expect[key], at(key), (event, place) => {
      if (event.step !== undefined) stepOf(event, place, checking);
      else playbookOf(event, place, checking);
    });
  }
}
