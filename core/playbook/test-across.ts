// What holds across the keys of a test file: one answer for each mock, one address for each answer,
// different names, and expectations that can all be met at once.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { testMocksMax } from "#core/model/test-limits";
import type { ShapeChecker } from "./check-shape.ts";
import { eachMap, type Findings, quoted, type Trail } from "./problems.ts";
import { callExpectation, credentialShape, stepExpectation } from "./test-shapes.ts";

/** Reports what its shapes can't say; parts of another type than they should be are passed over. */
export function checkAcross(root: JsonObject, checker: ShapeChecker): void {
  const { findings } = checker;
  const at = (key: string): Trail => ({ parent: undefined, key });
  each(root.credentials, at("credentials"), (value, trail) =>
    checker.check(value, credentialShape, trail),
  );
  if (isJsonObject(root.defaults)) {
    checkMocks(root.defaults.mocks, { parent: at("defaults"), key: "mocks" }, findings);
  }
  const names = new Set<string>();
  eachMap(root.tests, at("tests"), (test, trail) => {
    const { name } = test;
    if (typeof name === "string") {
      if (names.has(name)) {
        const message = `a second test named ${quoted(name)}, expected different names`;
        findings.error({ parent: trail, key: "name" }, message);
      }
      names.add(name);
    }
    checkMocks(test.mocks, { parent: trail, key: "mocks" }, findings);
    eachMap(test.fail_at, { parent: trail, key: "fail_at" }, (fault, place) =>
      oneItem(fault, place, findings),
    );
    eachMap(test.answers, { parent: trail, key: "answers" }, (answer, place) => {
      exactlyOne(answer, { keys: ["key", "step"], noun: "answer", place, findings });
      if (answer.data !== undefined && answer.error !== undefined) {
        findings.keyError(place, "answer has data and an error, expected one of them");
      }
    });
    if (isJsonObject(test.expect)) {
      checkExpectation(test.expect, { parent: trail, key: "expect" }, checker);
    }
  });
}

function checkMocks(value: Json | undefined, trail: Trail, findings: Findings): void {
  if (Array.isArray(value) && value.length > testMocksMax) {
    const message = `'mocks' has ${value.length} items, expected at most ${testMocksMax}`;
    return findings.keyError(trail, message);
  }
  eachMap(value, trail, (mock, place) => {
    const keys = ["data", "error", "output", "real", "claim"];
    exactlyOne(mock, { keys, noun: "mock", place, findings });
    oneItem(mock, place, findings);
    if (mock.real === false) {
      const message = "'real' is false, expected true, or data or output in its place";
      findings.error({ parent: place, key: "real" }, message);
    }
    if (mock.real === true && mock.takes_s !== undefined) {
      const message = "'takes_s' of a tool that runs for real: virtual time doesn't move it";
      findings.keyError({ parent: place, key: "takes_s" }, message);
    }
    const { output } = mock;
    const status = isJsonObject(output) ? output.status : "ok";
    if (status !== undefined && status !== "ok" && status !== "error") {
      const message = "'status' of an output, expected ok or error";
      findings.error({ parent: { parent: place, key: "output" }, key: "status" }, message);
    }
  });
}

function oneItem(map: JsonObject, place: Trail, findings: Findings): void {
  if (map.item === undefined || map.row === undefined) return;
  findings.keyError({ parent: place, key: "row" }, "'row' says the same as 'item', expected one");
}

interface Choice {
  readonly keys: readonly string[];
  readonly noun: string;
  readonly place: Trail;
  readonly findings: Findings;
}

function exactlyOne(map: JsonObject, { keys, noun, place, findings }: Choice): void {
  // A written null is data, and nothing anywhere else.
  const found = keys.filter(
    (key) => map[key] !== undefined && (map[key] !== null || key === "data"),
  );
  if (found.length === 1) return;
  const what = found.length === 0 ? "none" : found.join(" and ");
  findings.keyError(place, `${noun} has ${what}, expected one of ${keys.join(", ")}`);
}

function checkExpectation(expect: JsonObject, trail: Trail, checker: ShapeChecker): void {
  const { findings } = checker;
  const at = (key: string): Trail => ({ parent: trail, key });
  each(expect.steps, at("steps"), (value, place) => checker.check(value, stepExpectation, place));
  each(expect.calls, at("calls"), (value, place) => checker.check(value, callExpectation, place));
  const contradicts = (key: string, message: string): void =>
    findings.keyError(at(key), `'${key}' ${message}`);
  const { status, error } = expect;
  const isFailed = status === "failed" || (status === undefined && typeof error === "string");
  if (status === "completed" && typeof error === "string") {
    contradicts("error", "can't be met: status is completed");
  }
  for (const key of ["result", "result_contains"]) {
    if (expect[key] === undefined || (!isFailed && status !== "cancelled")) continue;
    contradicts(key, `can't be met: a ${isFailed ? "failed" : "cancelled"} execution has none`);
  }
  if (expect.result !== undefined && expect.result_contains !== undefined) {
    contradicts("result_contains", "stands beside 'result', expected one of them");
  }
  if (typeof error === "string") checkPattern(error, at("error"), findings);
  checkTimes(expect.virtual_s, at("virtual_s"), findings);
  checkVisits(expect, at("steps"), findings);
  checkEvents(expect, at("no_events"), findings);
}

function checkPattern(error: string, place: Trail, findings: Findings): void {
  const source = /^\/(.+)\/$/s.exec(error)?.[1];
  if (source === undefined) return;
  try {
    new RegExp(source, "u");
  } catch {
    findings.error(place, "'error' is no regular expression between its slashes");
  }
}

function checkTimes(value: Json | undefined, place: Trail, findings: Findings): void {
  if (!isJsonObject(value)) return;
  const { min, max } = value;
  if (typeof min !== "number" || typeof max !== "number" || min <= max) return;
  findings.error(place, `'virtual_s' is at least ${min} and at most ${max}, expected min ≤ max`);
}

/** A path says how often each step was entered: what else is said of that must agree. */
function checkVisits(expect: JsonObject, steps: Trail, findings: Findings): void {
  if (!Array.isArray(expect.path)) return;
  const path: readonly Json[] = expect.path;
  each(expect.steps, steps, (value, place) => {
    if (!isJsonObject(value) || typeof place.key !== "string") return;
    const entered = path.filter((step) => step === place.key).length;
    const { visits, status } = value;
    if (typeof visits === "number" && visits !== entered) {
      const message = `'visits' is ${visits}, and 'path' enters the step ${times(entered)}`;
      findings.error({ parent: place, key: "visits" }, message);
    }
    const isEntered = status === "completed" || status === "failed" || status === "recovered";
    if ((isEntered && entered === 0) || (status === "never" && entered > 0)) {
      const message = `'status' is ${status}, and 'path' enters the step ${times(entered)}`;
      findings.error({ parent: place, key: "status" }, message);
    }
  });
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function checkEvents(expect: JsonObject, place: Trail, findings: Findings): void {
  if (!Array.isArray(expect.events)) return;
  const wanted = new Set(expect.events.map((event: Json) => JSON.stringify(event)));
  eachMap(expect.no_events, place, (event, at) => {
    if (wanted.has(JSON.stringify(event))) findings.error(at, "an event that 'events' expects");
  });
}

function each(
  value: Json | undefined,
  trail: Trail,
  look: (item: Json, place: Trail) => void,
): void {
  if (!isJsonObject(value)) return;
  for (const [key, item] of Object.entries(value)) look(item, { parent: trail, key });
}
