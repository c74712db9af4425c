// What the language says of rules (language reference §§1.5, 9): policies of tools, and the keys of
// a step that are about admission and events of its own. What holds across them is in
// check-policy.ts.

import {
  condition,
  data,
  either,
  listOf,
  name,
  oneOf,
  type RecordKeys,
  type RecordShape,
  setMap,
} from "./shape.ts";

const then: RecordShape = {
  is: "record",
  noun: "then",
  others: "refuse",
  unsupported: ["allow"],
  older: { next_call: "a jump to the task that fetches", max_attempts: "attempts" },
  fields: {
    do: {
      shape: oneOf("continue", "retry", "fail", "break", "jump"),
      says:
        "What to do: go on, run the task again, fail the " +
        "step, end the pipeline well, or jump to another task.",
    },
    attempts: {
      shape: { is: "number", whole: true, min: 1 },
      says: "How often the task runs at most, the first run included (retry; default 3).",
    },
    backoff: {
      shape: oneOf("none", "linear", "exponential"),
      says:
        "How the delay grows: linear (delay × n) or exponential (delay × 2^(n-1)); " +
        "none is no delay. Without it, a delay that is given stays the same.",
    },
    delay: { shape: { is: "number", min: 0 }, says: "Seconds before the next run (default 1)." },
    to: { shape: name, says: "The label to jump to, or previous." },
    set: { shape: setMap, says: "Values to set when this rule applies; templates see output." },
  },
};

const elseBody: RecordShape = {
  is: "record",
  noun: "else",
  others: "refuse",
  fields: {
    // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
    then: { shape: then, says: "What to do when no other rule applied." },
  },
};

const rule: RecordShape = {
  is: "record",
  noun: "rule",
  others: "refuse",
  older: { expr: "when", if: "when" },
  fields: {
    when: { shape: condition, says: "The condition; a rule without one always applies." },
    else: {
      shape: either(elseBody, data),
      mayBeEmpty: true,
      says: "Marks the rule that applies when no other did; holds its then, or stands beside it.",
    },
    // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
    then: { shape: then, says: "What to do when the rule applies." },
  },
};

export const policy: RecordShape = {
  is: "record",
  noun: "policy",
  others: "refuse",
  unsupported: ["admit", "before", "after", "finally", "lifecycle", "failure", "emit"],
  fields: {
    mode: {
      shape: { ...oneOf("exclusive"), unsupported: ["inclusive"] },
      says: "The first rule that applies is the one taken.",
    },
    on_unmatched: {
      shape: oneOf("continue", "fail"),
      says: "What an error that no rule matched does (default fail).",
    },
    rules: { shape: listOf(rule), required: true, says: "Tried in order after the task ran." },
  },
};

/** Whether a step is entered at all; stands in the step's `spec`. */
export const admitPolicy: RecordKeys = { fields: {}, unsupported: ["policy"] };

/** Events that a step makes known when it has ended; stands in the step. */
export const emit: RecordKeys = { fields: {}, unsupported: ["emit"] };
