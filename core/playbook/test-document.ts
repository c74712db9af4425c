// The tests of a playbook (docs/testing.md) as plain data: what reading a test file yields when it
// finds no problem. What the names in it stand for is checked against the playbooks afterwards, as
// only the file says which ones they are (test-check.ts).

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { ShapeChecker } from "./check-shape.ts";
import type { Problem } from "./document.ts";
import { Findings } from "./problems.ts";
import { errorsOf, problemsOf, readYaml } from "./read-yaml.ts";
import { type Position, positionsIn } from "./source-text.ts";
import { checkAcross } from "./test-across.ts";
import { checkNames, type TestedPlaybooks } from "./test-check.ts";
import { testFile } from "./test-shapes.ts";

/** Something to know about a place in a test file. */
export interface Remark {
  readonly place: Position;
  readonly message: string;
}

/** Which calls are meant; what is left out fits any. */
export interface CallSelection {
  readonly step: string;
  /** The path of a sub-playbook; without it the playbook that is tested. */
  readonly playbook?: string;
  readonly visit?: number;
  readonly item?: number;
  readonly task?: string;
  readonly call?: number;
  readonly times?: number;
  /** Where it stands in the file. */
  readonly place: Position;
}

export type MockAnswer =
  | { readonly gives: "output"; readonly output: JsonObject }
  | { readonly gives: "data"; readonly data: Json }
  | { readonly gives: "real" }
  | { readonly gives: "claim"; readonly frames: readonly (readonly Json[])[] };

export interface MockDocument extends CallSelection {
  readonly answer: MockAnswer;
  readonly takesMs: number;
}

export interface FaultDocument extends CallSelection {
  readonly how: "error" | "timeout" | "worker_lost" | "result_rejected";
}

export interface AnswerDocument {
  readonly to: { readonly key: string } | { readonly step: string };
  readonly playbook?: string;
  readonly afterMs: number;
  readonly output: JsonObject;
  readonly place: Position;
}

export interface EventPattern {
  readonly playbook?: string;
  /** What the event must hold; `step` also fits events that only name a command of the step. */
  readonly holds: JsonObject;
}

export interface StepExpectation {
  readonly visits?: number;
  readonly status?: string;
}

export interface ExpectDocument {
  readonly status: "completed" | "failed" | "cancelled";
  /** A list of one, so that an expected null is not an absent one. */
  readonly result?: readonly [Json];
  readonly resultContains?: readonly [Json];
  readonly path?: readonly string[];
  readonly steps: ReadonlyMap<string, StepExpectation>;
  readonly calls: ReadonlyMap<string, number>;
  readonly events: readonly EventPattern[];
  readonly noEvents: readonly EventPattern[];
  readonly variables?: JsonObject;
  /** All of them: an empty list says that there are none. */
  readonly emitted?: readonly JsonObject[];
  readonly error?: string;
  readonly virtualMs: { readonly min?: number; readonly max?: number };
}

export interface PlaybookTest {
  readonly name: string;
  readonly place: Position;
  readonly workload: JsonObject;
  /** The test's own first; those of the file's defaults are the same objects in every test. */
  readonly mocks: readonly MockDocument[];
  readonly faults: readonly FaultDocument[];
  readonly answers: readonly AnswerDocument[];
  readonly cancelAfterMs?: number;
  readonly expect: ExpectDocument;
}

export interface TestDocument {
  readonly playbook: string;
  readonly playbooks: readonly string[];
  readonly unmatched: "fail" | "real";
  readonly credentials: ReadonlyMap<string, { readonly type: string; readonly data: JsonObject }>;
  readonly defaultMocks: readonly MockDocument[];
  readonly tests: readonly PlaybookTest[];
}

export interface ParsedTest {
  readonly document: TestDocument;
  readonly warnings: readonly Problem[];
  /** Whether the steps, tasks and playbooks it names are there. */
  readonly against: (playbooks: TestedPlaybooks) => readonly Problem[];
}

export type TestParsing =
  | ({ readonly ok: true } & ParsedTest)
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      readonly warnings: readonly Problem[];
    };

/** Reads one test file. Never throws for bad input; lines and columns count from 1. */
export function parsePlaybookTest(source: string): TestParsing {
  const findings = new Findings();
  const tree = readYaml(source, findings, "a test of playbooks");
  const value = tree?.value;
  if (tree?.whole === true) checkFile(tree.value, findings);
  const warnings = problemsOf(source, findings.warnings, tree);
  if (tree === undefined || findings.errors.length > 0 || !isJsonObject(value)) {
    return { ok: false, problems: errorsOf(source, findings, tree), warnings };
  }
  const positionOf = positionsIn(source);
  const placeOf: PlaceOf = (...path) => positionOf(tree.startOf(tree.find(path).node));
  const against = (playbooks: TestedPlaybooks): readonly Problem[] => {
    const found = new Findings();
    checkNames(value, playbooks, found);
    return errorsOf(source, found, tree);
  };
  return { ok: true, document: documentOf(value, placeOf), warnings, against };
}

function checkFile(value: Json, findings: Findings): void {
  if (isJsonObject(value) && value.kind === "Playbook") {
    const message = "'kind' is 'Playbook', expected PlaybookTest: a playbook is no test";
    return findings.error({ parent: undefined, key: "kind" }, message);
  }
  const checker = new ShapeChecker(findings);
  checker.record(value, testFile, undefined);
  if (isJsonObject(value)) checkAcross(value, checker);
}

type PlaceOf = (...path: readonly (string | number)[]) => Position;

function documentOf(root: JsonObject, placeOf: PlaceOf): TestDocument {
  const defaults = mapOf(root.defaults);
  const shared = mapOf(defaults.workload);
  const defaultMocks = listOf(defaults.mocks).map((mock, index) =>
    mockOf(mapOf(mock), placeOf("defaults", "mocks", index)),
  );
  const credentials = Object.entries(mapOf(root.credentials)).map(([alias, value]) => {
    const { type, data } = mapOf(value);
    return [alias, { type: String(type), data: mapOf(data) }] as const;
  });
  return {
    playbook: String(root.playbook),
    playbooks: listOf(root.playbooks).map(String),
    unmatched: root.unmatched === "real" ? "real" : "fail",
    credentials: new Map(credentials),
    defaultMocks,
    tests: listOf(root.tests).map((value, index) => {
      const test = testOf(mapOf(value), (...path) => placeOf("tests", index, ...path));
      const mocks = [...test.mocks, ...defaultMocks];
      return { ...test, mocks, workload: { ...shared, ...test.workload } };
    }),
  };
}

function testOf(test: JsonObject, placeOf: PlaceOf): PlaybookTest {
  const cancelAfter = test.cancel_after_s;
  return {
    name: String(test.name),
    place: placeOf(),
    workload: mapOf(test.workload),
    mocks: listOf(test.mocks).map((mock, index) => mockOf(mapOf(mock), placeOf("mocks", index))),
    faults: listOf(test.fail_at).map((fault, index) => {
      const map = mapOf(fault);
      const how = String(map.how) as FaultDocument["how"];
      return { times: 1, ...selectionOf(map, placeOf("fail_at", index)), how };
    }),
    answers: listOf(test.answers).map((value, index) =>
      answerOf(mapOf(value), placeOf("answers", index)),
    ),
    ...(typeof cancelAfter === "number" ? { cancelAfterMs: cancelAfter * 1_000 } : {}),
    expect: expectOf(mapOf(test.expect)),
  };
}

function selectionOf(map: JsonObject, place: Position): CallSelection {
  const { step, playbook, visit, item = map.row, task, call, times } = map;
  return {
    step: String(step),
    place,
    ...(typeof playbook === "string" ? { playbook } : {}),
    ...(typeof visit === "number" ? { visit } : {}),
    ...(typeof item === "number" ? { item } : {}),
    ...(typeof task === "string" ? { task } : {}),
    ...(typeof call === "number" ? { call } : {}),
    ...(typeof times === "number" ? { times } : {}),
  };
}

function mockOf(map: JsonObject, place: Position): MockDocument {
  const takes = typeof map.takes_s === "number" ? map.takes_s : 0;
  return { ...selectionOf(map, place), answer: mockAnswerOf(map), takesMs: takes * 1_000 };
}

function mockAnswerOf(map: JsonObject): MockAnswer {
  if (map.real === true) return { gives: "real" };
  if (isJsonObject(map.output)) return { gives: "output", output: map.output };
  if (isJsonObject(map.error)) return { gives: "output", output: failedOutput(map.error) };
  if (Array.isArray(map.claim)) return { gives: "claim", frames: map.claim.map(listOf) };
  return { gives: "data", data: map.data ?? null };
}

function failedOutput(error: JsonObject): JsonObject {
  const failure = { kind: "tool", message: "failed by the test", retryable: false };
  return { status: "error", error: { ...failure, ...error } };
}

function answerOf(map: JsonObject, place: Position): AnswerDocument {
  const { key, step, playbook, after_s: after, error, data } = map;
  return {
    place,
    to: typeof key === "string" ? { key } : { step: String(step) },
    ...(typeof playbook === "string" ? { playbook } : {}),
    afterMs: typeof after === "number" ? after * 1_000 : 0,
    output: isJsonObject(error) ? failedOutput(error) : { status: "ok", data: data ?? null },
  };
}

function expectOf(map: JsonObject): ExpectDocument {
  const { status, result, result_contains: contains, path, error, variables } = map;
  const { min, max } = mapOf(map.virtual_s);
  const failed = typeof error === "string" ? "failed" : "completed";
  return {
    status:
      status === "failed" || status === "cancelled" || status === "completed" ? status : failed,
    ...(result === undefined ? {} : { result: [result] as const }),
    ...(contains === undefined ? {} : { resultContains: [contains] as const }),
    ...(Array.isArray(path) ? { path: path.map(String) } : {}),
    steps: new Map(Object.entries(mapOf(map.steps)).map(([step, of]) => [step, mapOf(of)])),
    calls: new Map(Object.entries(mapOf(map.calls)).map(([step, of]) => [step, Number(of)])),
    events: listOf(map.events).map(patternOf),
    noEvents: listOf(map.no_events).map(patternOf),
    ...(isJsonObject(variables) ? { variables } : {}),
    ...(Array.isArray(map.emitted) ? { emitted: map.emitted.map(mapOf) } : {}),
    ...(typeof error === "string" ? { error } : {}),
    virtualMs: {
      ...(typeof min === "number" ? { min: min * 1_000 } : {}),
      ...(typeof max === "number" ? { max: max * 1_000 } : {}),
    },
  };
}

function patternOf(value: Json): EventPattern {
  const { playbook, ...holds } = mapOf(value);
  return typeof playbook === "string" ? { playbook, holds } : { holds };
}

function mapOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
