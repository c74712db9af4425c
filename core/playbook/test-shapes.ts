// Tests of playbooks as shapes: the root of a test file, its tests, mocks, injected failures,
// answers and expectations. What holds across keys is in test-document.ts and test-check.ts.

import type { EventType } from "#core/model/event";
import {
  data,
  dataMap,
  type Field,
  flag,
  listOf,
  name,
  oneOf,
  type RecordShape,
  type Shape,
  templatedData,
  templatedMap,
  text,
} from "./shape.ts";

const count: Shape = { is: "number", whole: true, min: 0 };
const ordinal: Shape = { is: "number", whole: true, min: 1 };
const seconds: Shape = { is: "number", min: 0 };

/** Which calls are meant. */
const selection: Readonly<Record<string, Field>> = {
  step: { shape: name, required: true, says: "The step whose tool is called." },
  playbook: { shape: text, says: "The path of the sub-playbook that has the step." },
  visit: { shape: ordinal, says: "Only this visit of the step, from 1." },
  item: { shape: count, says: "Only this iteration of its loop, from 0." },
  row: { shape: count, says: "The same as item: this row of a frame, from 0." },
  task: { shape: text, says: "Only the task with this label." },
  call: { shape: ordinal, says: "Only the so manieth call that fits otherwise, retries counted." },
};

const failureShape: RecordShape = {
  is: "record",
  noun: "error",
  others: "refuse",
  fields: {
    kind: { shape: text, says: "What went wrong, for rules: http, timeout, … (tool)." },
    message: { shape: text, says: "What the step fails with." },
    code: { shape: data, says: "The finer code: an HTTP status, an SQLSTATE." },
    retryable: { shape: flag, says: "Whether trying again may help (false)." },
    details: { shape: data, says: "More of it." },
  },
};

const mock: RecordShape = {
  is: "record",
  noun: "mock",
  others: "refuse",
  fields: {
    ...selection,
    times: { shape: ordinal, says: "Answers so many calls, and then is used up." },
    data: { shape: templatedData, says: "What the call gives: its output's data." },
    error: { shape: failureShape, says: "What the call fails with." },
    output: {
      shape: templatedMap,
      says: "The whole output: status, data, error, http, pg, py, meta.",
    },
    real: { shape: flag, says: "The tool runs for real." },
    claim: {
      shape: listOf(listOf(data)),
      says: "The rows that a cursor loop claims, frame by frame; none once they are used up.",
    },
    takes_s: { shape: seconds, says: "Virtual seconds that the call takes." },
  },
};

const fault: RecordShape = {
  is: "record",
  noun: "failure",
  others: "refuse",
  fields: {
    ...selection,
    times: { shape: ordinal, says: "How many calls it befalls (1)." },
    how: {
      shape: oneOf("error", "timeout", "worker_lost", "result_rejected"),
      required: true,
      says:
        "error: the tool fails. timeout: it takes longer than it may. worker_lost: its worker is " +
        "gone. result_rejected: the store refuses its result.",
    },
  },
};

const answer: RecordShape = {
  is: "record",
  noun: "answer",
  others: "refuse",
  fields: {
    key: { shape: text, says: "What the wait is addressed by." },
    step: { shape: name, says: "The step whose open wait is answered, in place of a key." },
    playbook: { shape: text, says: "The path of the sub-playbook that waits." },
    after_s: {
      shape: seconds,
      says: "Virtual seconds after the start; with step, after it began to wait (0).",
    },
    data: { shape: data, says: "What the wait gives." },
    error: { shape: failureShape, says: "What the wait fails with." },
  },
};

/** Every type of event, in the order of the language. */
const eventTypes = [
  "playbook.started",
  "step.enter",
  "command.issued",
  "command.reissued",
  "call.done",
  "call.error",
  "command.yielded",
  "step.exit",
  "step.skipped",
  "loop.done",
  "cursor.claimed",
  "cursor.drained",
  "wait.parked",
  "wait.done",
  "child.started",
  "child.done",
  "vars.set",
  "request.enqueued",
  "event.emitted",
  "playbook.completed",
  "playbook.failed",
  "playbook.cancelled",
] as const satisfies readonly EventType[];

const eventPattern: RecordShape = {
  is: "record",
  noun: "event",
  others: "keep",
  fields: {
    type: { shape: oneOf(...eventTypes), required: true, says: "The event's type." },
    step: { shape: name, says: "The step it is about." },
    playbook: { shape: text, says: "The path of the sub-playbook whose log has it." },
  },
};

const emitted: RecordShape = {
  is: "record",
  noun: "emitted event",
  others: "refuse",
  fields: {
    event: { shape: text, required: true, says: "The event's name." },
    data: { shape: data, says: "Its data." },
  },
};

const expectation: RecordShape = {
  is: "record",
  noun: "expectation",
  others: "refuse",
  fields: {
    status: { shape: oneOf("completed", "failed", "cancelled"), says: "How the execution ends." },
    result: { shape: data, says: "Its result." },
    result_contains: { shape: data, says: "What its result holds, maps key by key." },
    path: { shape: listOf(name), says: "The steps entered, in order; not those of children." },
    steps: {
      shape: { is: "map", templates: "none" },
      says: "By step: how often it was entered, and how it ended.",
    },
    calls: { shape: { is: "map", templates: "none" }, says: "By step: how often its tools ran." },
    events: { shape: listOf(eventPattern), says: "Events, in this order, with others between." },
    no_events: { shape: listOf(eventPattern), says: "Events that must not be there." },
    variables: { shape: dataMap, says: "Variables at the end." },
    emitted: { shape: listOf(emitted), says: "All events that steps emitted, in order." },
    error: { shape: text, says: "What the error's message holds, or /a regular expression/." },
    virtual_s: {
      says: "How long it takes, in virtual seconds.",
      shape: {
        is: "record",
        noun: "virtual_s",
        others: "refuse",
        fields: {
          min: { shape: seconds, says: "At least." },
          max: { shape: seconds, says: "At most." },
        },
      },
    },
  },
};

/** What stands under each step of `expect.steps`. */
export const stepExpectation: RecordShape = {
  is: "record",
  noun: "step expectation",
  others: "refuse",
  fields: {
    visits: { shape: count, says: "How often it was entered." },
    status: {
      shape: oneOf("completed", "failed", "recovered", "skipped", "never"),
      says: "How it ended the last time.",
    },
  },
};

/** What stands under each step of `expect.calls`. */
export const callExpectation: Shape = count;

const mocks: Field = { shape: listOf(mock), says: "What tools give, tried from the top." };
const workload: Field = { shape: dataMap, says: "The execution's input." };

const playbookTest: RecordShape = {
  is: "record",
  noun: "test",
  others: "refuse",
  fields: {
    name: { shape: name, required: true, says: "What it shows, in a sentence." },
    workload,
    mocks,
    fail_at: { shape: listOf(fault), says: "Failures that are made to happen." },
    answers: { shape: listOf(answer), says: "Answers to what waits for one." },
    cancel_after_s: { shape: seconds, says: "The execution is cancelled then." },
    expect: { shape: expectation, says: "What must come of it (status completed)." },
  },
};

const credential: RecordShape = {
  is: "record",
  noun: "credential",
  others: "refuse",
  fields: {
    type: { shape: text, required: true, says: "The credential's type." },
    data: { shape: dataMap, required: true, says: "What it holds." },
  },
};

/** What stands under each alias of `credentials`. */
export const credentialShape: RecordShape = credential;

export const testFile: RecordShape = {
  is: "record",
  noun: "test file",
  others: "refuse",
  fields: {
    apiVersion: { shape: oneOf("noetl.io/v2"), required: true, says: "noetl.io/v2." },
    kind: { shape: oneOf("PlaybookTest"), required: true, says: "PlaybookTest." },
    playbook: { shape: text, required: true, says: "The playbook's file, beside this one." },
    playbooks: { shape: listOf(text), says: "Files of more playbooks, registered first." },
    unmatched: {
      shape: oneOf("fail", "real"),
      says: "What a call without a mock does: fail the test (default), or run for real.",
    },
    credentials: { shape: dataMap, says: "Credentials that tools may ask for, by alias." },
    defaults: {
      says: "What stands under every test's own.",
      shape: {
        is: "record",
        noun: "defaults",
        others: "refuse",
        fields: { workload, mocks },
      },
    },
    tests: {
      shape: { is: "list", items: playbookTest, itemsMin: 1 },
      required: true,
      says: "The tests, each with a fresh house.",
    },
  },
};
