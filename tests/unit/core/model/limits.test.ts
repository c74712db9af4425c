// Holds the relations between bounds that the system rests on, so that no figure is changed alone.

import { expect, test } from "bun:test";
import {
  checkpointBytesMax,
  claimCommandsMax,
  controlRequestMs,
  errorMessageCharsMax,
  errorTracebackCharsMax,
  extractedBytesMax,
  extractedStringCharsMax,
  flushBytesMax,
  flushTransitionsMax,
  inlineBytesMax,
  javascriptKillGraceMs,
  javascriptProcessesIdleMax,
  javascriptProcessesMax,
  leaseMs,
  leaseRenewMs,
  logLineCharsMax,
  pageSizeDefault,
  pageSizeMax,
  pipelineTasksMax,
  pipelineTurnTasksMax,
  playbookBytesMax,
  postgresCancelMs,
  pythonAddressBytesMax,
  pythonResidentBytesMax,
  pythonRunnersIdleMax,
  pythonRunnersMax,
  renewRequestMs,
  requestBytesMax,
  resultBytesMax,
  scriptBytesMax,
  settleOutcomesMax,
  stateInlineBytesMax,
  stdoutCharsMax,
  sweepMs,
  templateIntegerBitsMax,
  templateIntegerLiteralCharsMax,
  templateOutputCharsMax,
  templateSourceCharsMax,
  toolAbortGraceMs,
  workerRetryMs,
  workerRetryMsMax,
  workerTickMs,
  yamlAliasesMax,
  yamlNodesMax,
  yieldDelayMsMin,
} from "#core/model/limits";

/** Each is smaller than the next. */
function rising(...bounds: readonly number[]): void {
  for (const [index, bound] of bounds.slice(1).entries()) {
    expect(bounds[index] ?? Number.NaN).toBeLessThan(bound);
  }
}

test("a value is summarised, carried, held and stored at growing sizes", () => {
  rising(extractedStringCharsMax, extractedBytesMax, inlineBytesMax, stateInlineBytesMax);
  rising(stateInlineBytesMax, requestBytesMax, resultBytesMax);
});

test("what an outcome carries beside its data fits into an event with it", () => {
  rising(errorMessageCharsMax, errorTracebackCharsMax, stdoutCharsMax, inlineBytesMax);
  rising(logLineCharsMax, stdoutCharsMax);
});

test("a checkpoint leaves room in its event, and in the state of its execution", () => {
  expect(Number.isInteger(checkpointBytesMax)).toBe(true);
  rising(extractedBytesMax, checkpointBytesMax, inlineBytesMax);
});

test("a lease outlives a renewal that is lost, and the look after it that tries again", () => {
  rising(leaseRenewMs, leaseMs / 2);
  rising(leaseRenewMs + 2 * (workerTickMs + renewRequestMs), leaseMs);
  rising(renewRequestMs, controlRequestMs);
});

test("an expired lease is seen long before the next one would end", () => {
  rising(sweepMs, leaseMs);
});

test("a delay that gives its slot back is longer than the sweep takes to see it over", () => {
  rising(2 * sweepMs, yieldDelayMsMin);
});

test("a worker that was cut off tries again more than once in the time of a lease", () => {
  rising(workerRetryMs, workerRetryMsMax, leaseMs / 2);
});

test("a tool that ignores its abort is given up before its lease could run out", () => {
  rising(javascriptKillGraceMs, toolAbortGraceMs, leaseMs);
  expect(postgresCancelMs).toBeLessThanOrEqual(toolAbortGraceMs);
});

test("what one request asks for is no more than one can bring", () => {
  expect(claimCommandsMax).toBeLessThanOrEqual(settleOutcomesMax);
  rising(pageSizeDefault, pageSizeMax);
  rising(playbookBytesMax, requestBytesMax);
  rising(scriptBytesMax, requestBytesMax);
});

test("a flush takes at least one value of each size that may be in it", () => {
  rising(inlineBytesMax, stateInlineBytesMax, flushBytesMax);
  expect(flushTransitionsMax).toBeGreaterThan(1);
});

test("every integer that a template may write is one that it may compute", () => {
  rising(templateIntegerLiteralCharsMax * Math.log2(10), templateIntegerBitsMax);
  rising(templateSourceCharsMax, templateOutputCharsMax);
});

test("a pipeline gives way many times before it is at its end", () => {
  rising(pipelineTurnTasksMax, pipelineTasksMax);
});

test("processes that idle are fewer than those that may run", () => {
  rising(pythonRunnersIdleMax, pythonRunnersMax);
  rising(javascriptProcessesIdleMax, javascriptProcessesMax);
  rising(pythonResidentBytesMax, pythonAddressBytesMax);
});

test("a playbook within its bytes stays within its values, unless aliases make it more", () => {
  rising(yamlAliasesMax, yamlNodesMax);
  rising(yamlNodesMax, playbookBytesMax);
});
