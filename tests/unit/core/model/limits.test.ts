// Holds the relations between bounds that the system rests on, so that no figure is changed alone.

import { expect, test } from "bun:test";
import {
  busConfirmBytes,
  busRetryMs,
  busRetryMsMax,
  busUnconfirmedBytesMax,
  hintAckMs,
  hintAgainMs,
  hintFetchBeatMs,
  hintFetchMs,
  hintsDoubledMs,
  hintsFetchedMax,
  hintsKeptMs,
  hintsPerTransitionMax,
  hintsWaitingMax,
  hintUsefulMs,
} from "#core/model/bus-limits";
import {
  acceptMs,
  checkpointBytesMax,
  claimCommandsMax,
  controlRequestMs,
  dueLookMs,
  errorMessageCharsMax,
  errorTracebackCharsMax,
  extractedBytesMax,
  extractedStringCharsMax,
  flushBytesMax,
  flushTransitionsMax,
  identityWatchMs,
  inlineBytesMax,
  javascriptKillGraceMs,
  javascriptProcessesIdleMax,
  javascriptProcessesMax,
  leaseMs,
  leaseRenewMs,
  logLineCharsMax,
  otherDatabaseMs,
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
  quiesceMs,
  renewRequestMs,
  requestBytesMax,
  resultBytesMax,
  scriptBytesMax,
  settleOutcomesMax,
  stateInlineBytesMax,
  stdoutCharsMax,
  stepLogAttemptCharsMax,
  stepLogAttemptLinesMax,
  stepLogBatchCharsMax,
  stepLogBatchLinesMax,
  stepLogBufferCharsMax,
  stepLogExecutionBytesMax,
  stepLogHeartbeatMs,
  stepLogLookMs,
  stepLogMessageCharsMax,
  stepLogPurgedLinesMax,
  superviseAgainMs,
  superviseAgainMsMax,
  superviseSettledMs,
  suspectWaitMs,
  sweepGapMs,
  sweepMs,
  templateIntegerBitsMax,
  templateIntegerLiteralCharsMax,
  templateOutputCharsMax,
  templateSourceCharsMax,
  toolAbortGraceMs,
  wireBodyCharsMax,
  wireDeafMs,
  wireOpenMs,
  wireRequestsMax,
  wireRetryMs,
  wireSilenceMs,
  wireUnreadBytesMax,
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
  // Whoever could not renew in a shorter gap still can when it is over.
  rising(leaseRenewMs + workerTickMs + renewRequestMs + sweepGapMs, leaseMs + 1);
  rising(3 * sweepMs, sweepGapMs);
});

test("what is due is seen sooner than leases are looked after", () => {
  rising(2 * dueLookMs, sweepMs);
});

test("a database that was replaced is asked after many times before a worker believes it", () => {
  rising(5 * identityWatchMs, otherDatabaseMs);
  rising(renewRequestMs, identityWatchMs);
  // A restart of all control planes over the same database is over by then.
  rising(leaseMs, otherDatabaseMs);
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

test("a line of a tool fits into a message, a request, a worker, an attempt and an execution", () => {
  rising(logLineCharsMax, stepLogMessageCharsMax, stepLogBatchCharsMax, stepLogBufferCharsMax);
  rising(stepLogBatchCharsMax, stepLogAttemptCharsMax, stepLogExecutionBytesMax);
  rising(stepLogBatchLinesMax, stepLogPurgedLinesMax, stepLogAttemptLinesMax);
  // Each character may be six in JSON.
  rising(6 * (stepLogBatchCharsMax + logLineCharsMax), requestBytesMax);
});

test("a stream says that it is alive before a server takes its silence for an end", () => {
  const serverIdleMs = 10_000;
  rising(stepLogHeartbeatMs + stepLogLookMs, serverIdleMs);
});

test("a worker process that lives well is started again sooner than one that dies at once", () => {
  rising(superviseAgainMs, superviseAgainMsMax, superviseSettledMs);
});

test("a playbook within its bytes stays within its values, unless aliases make it more", () => {
  rising(yamlAliasesMax, yamlNodesMax);
  rising(yamlNodesMax, playbookBytesMax);
});

test("hints are of use for longer than it takes to give them to somebody else", () => {
  rising(workerTickMs, hintAckMs, hintUsefulMs, hintsDoubledMs, hintsKeptMs);
  rising(hintAgainMs, hintAckMs);
  rising(hintsPerTransitionMax, hintsWaitingMax);
  rising(hintsFetchedMax, hintsWaitingMax);
});

test("a server is asked often, and given up only when it was silent", () => {
  rising(busConfirmBytes, busUnconfirmedBytesMax);
  rising(busRetryMs, busRetryMsMax);
  rising(2 * hintFetchBeatMs, hintFetchMs);
});

test("a hand-over lasts longer than a worker takes to speak of it, and less than a lease", () => {
  // A worker renews at a third of it, at its next tick.
  rising(acceptMs / 3 + workerTickMs, acceptMs, leaseMs);
});

test("an idle worker has looked before a busy one is asked to run empty, for less than a lease", () => {
  rising(workerTickMs, suspectWaitMs, leaseMs, quiesceMs);
});

test("a dead kept socket is left with the first renewal that it swallows", () => {
  expect(wireDeafMs).toBeLessThan(renewRequestMs);
});

test("a kept socket says that it is there before proxies take it for dead, and opens once at a time", () => {
  expect(wireSilenceMs).toBeLessThan(60_000);
  expect(wireOpenMs).toBeLessThan(wireRetryMs);
});

test("what a worker may send or leave unread on its socket fits what both ends take", () => {
  expect(wireBodyCharsMax * 3).toBeLessThan(requestBytesMax);
  expect(wireUnreadBytesMax).toBeGreaterThanOrEqual(requestBytesMax);
  expect(wireRequestsMax).toBeGreaterThanOrEqual(claimCommandsMax);
});
