// What the language says of rules (language reference §§1.5, 9): policies of tools, and the keys of
// a step that are about admission and events of its own. What holds across them is in
// check-policy.ts and check-flow.ts.

import { eventNameCharsMax } from "#core/model/flow-limits";
import {
  condition,
  data,
  either,
  flag,
  listOf,
  name,
  oneOf,
  type RecordKeys,
  type RecordShape,
  setMap,
  templatedData,
} from "./shape.ts";

const then: RecordShape = {
  is: "record",
  noun: "then",
  others: "refuse",
  refused: { allow: "spec.policy.admit of the step: a tool that is called is admitted already" },
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
    delay: {
      shape: { is: "number", min: 0 },
      says:
        "Seconds before the next run: of a retry (default 1); of a jump or of going on only where " +
        "it is written, and it then grows with the runs of this task.",
    },
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
  older: { expr: "when", if: "when", condition: "when", cond: "when" },
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
  refused: {
    admit: "spec.policy.admit of the step",
    before: "a task in front of this one",
    after: "the set of a rule or of the task, or a task behind this one",
    finally: "arcs of success and of call.error that lead to one step",
    lifecycle: "tasks in front of this one and behind it",
    failure: "a rule, or an arc with event.name == 'call.error'",
    emit: "emit of the step",
  },
  fields: {
    mode: {
      shape: oneOf("exclusive", "inclusive"),
      says:
        "exclusive: the first rule that applies is the one taken. inclusive: every rule that applies " +
        "sets its values, the first of them that does not continue acts, and else counts where none applied.",
    },
    on_unmatched: {
      shape: oneOf("continue", "fail"),
      says: "What an error that no rule matched does (default fail).",
    },
    rules: { shape: listOf(rule), required: true, says: "Tried in order after the task ran." },
  },
};

const admitThen: RecordShape = {
  is: "record",
  noun: "then of an admission",
  others: "refuse",
  fields: {
    allow: { shape: flag, required: true, says: "Whether the step is entered." },
  },
};

const admitElse: RecordShape = {
  is: "record",
  noun: "else of an admission",
  others: "refuse",
  fields: {
    // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
    then: { shape: admitThen, says: "What holds when no other rule applied." },
  },
};

const admitRule: RecordShape = {
  is: "record",
  noun: "admission rule",
  others: "refuse",
  fields: {
    when: { shape: condition, says: "The condition; a rule without one always applies." },
    else: {
      shape: either(admitElse, data),
      mayBeEmpty: true,
      says: "Marks the rule that applies when no other did; holds its then, or stands beside it.",
    },
    // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
    then: { shape: admitThen, says: "What holds when the rule applies." },
  },
};

const admission: RecordShape = {
  is: "record",
  noun: "admit",
  others: "refuse",
  fields: {
    mode: { shape: oneOf("exclusive"), says: "The first rule that applies is the one taken." },
    rules: {
      shape: listOf(admitRule),
      required: true,
      says: "Tried in order before the step is entered; where none applies, it is.",
    },
  },
};

/** Whether a step is entered at all; stands in the step's `spec`. */
export const admitPolicy: RecordKeys = {
  unsupported: [],
  fields: {
    policy: {
      says: "Rules of the step itself.",
      shape: {
        is: "record",
        noun: "step policy",
        others: "refuse",
        refused: {
          lifecycle: "steps in front of this one and behind it",
          failure: "an arc with event.name == 'call.error'",
          emit: "emit of the step",
        },
        fields: {
          admit: {
            shape: admission,
            says: "Whether the step is entered; where it is not, the branch ends there.",
          },
        },
      },
    },
  },
};

const eventShape: RecordShape = {
  is: "record",
  noun: "emit",
  others: "refuse",
  older: { name: "event", payload: "data" },
  fields: {
    event: {
      shape: {
        is: "text",
        templates: "none",
        pattern: {
          source: `^(?=.{1,${eventNameCharsMax}}$)[A-Za-z][\\w-]*(\\.[\\w-]+)*$`,
          says: `a dotted name of at most ${eventNameCharsMax} characters, such as calendar.event.touched`,
        },
      },
      required: true,
      says: "The event's name, under which it is published.",
    },
    data: { shape: templatedData, says: "What it carries; templates see output." },
  },
};

/** Events that a step makes known when it has ended; stands in the step. */
export const emit: RecordKeys = {
  unsupported: [],
  fields: {
    emit: {
      shape: either(eventShape, { is: "list", items: eventShape, itemsMin: 1 }),
      says: "An event of your own, or several, made known once the step has ended well.",
    },
  },
};
