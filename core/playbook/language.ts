// The playbook language as shapes (language reference §§1, 8, 9): every key, what it holds and
// what it is for; keys of older forms with the form to use instead; keys that this version has
// no part for. Tool kinds are in tool-fields.ts.

import { priorityMax, stepNameCharsMax } from "#core/model/limits";
import {
  condition,
  data,
  dataMap,
  either,
  flag,
  listOf,
  oneOf,
  type RecordShape,
  type Shape,
  templatedData,
  templatedMap,
  text,
} from "./shape.ts";

const tool: Shape = { is: "tool" };
const name: Shape = { is: "text", charsMax: stepNameCharsMax, templates: "none" };
/** Dotted names; the first part may be the scope `ctx`, `iter` or `step`. */
export const setMap: Shape = {
  is: "map",
  keys: {
    source: "^[\\p{L}_][\\p{L}\\p{N}_-]*(\\.[\\p{L}_][\\p{L}\\p{N}_-]*)*$",
    says: "a name such as total or ctx.total",
  },
  templates: "template",
};
const inputMap: Shape = templatedMap;
const textList: Shape = { is: "list", items: text, orSingle: true };

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

const arc: RecordShape = {
  is: "record",
  noun: "arc",
  others: "refuse",
  instead: { text: "is no arc; write {step: NAME}" },
  older: { args: "set", condition: "when", cond: "when", expr: "when", input: "set" },
  fields: {
    step: { shape: name, required: true, says: "The step this arc leads to." },
    when: {
      shape: condition,
      says: "The condition under which the arc is taken; without one it always is.",
    },
    set: { shape: setMap, says: "Values to set when the arc is taken." },
    spec: { shape: data, ignored: "arcs have no settings", says: "Accepted, without effect." },
  },
};

const next: RecordShape = {
  is: "record",
  noun: "next",
  others: "refuse",
  instead: {
    text: "is an older form; write next: {arcs: [{step: NAME}]}",
    list: "is an older form; write next: {spec: {mode: inclusive}, arcs: [{step: NAME}, …]}",
  },
  older: { step: "arcs: [{step: NAME}]", when: "arcs[].when", mode: "next.spec.mode" },
  fields: {
    spec: {
      says: "How arcs are chosen.",
      shape: {
        is: "record",
        noun: "next.spec",
        others: "refuse",
        older: { next_mode: "mode" },
        fields: {
          mode: {
            shape: oneOf("exclusive", "inclusive"),
            says: "exclusive takes the first arc that matches, inclusive all of them.",
          },
          on_no_match: {
            shape: oneOf("complete", "quiet"),
            says: "Accepted for older playbooks: where no arc matches the branch ends.",
          },
        },
      },
    },
    arcs: {
      shape: listOf(arc),
      required: true,
      says: "Where to go when the step has ended, in order of trial.",
    },
  },
};

const loop: RecordShape = {
  is: "record",
  noun: "loop",
  others: "refuse",
  unsupported: ["cursor"],
  older: {
    mode: "loop.spec.mode",
    max_in_flight: "loop.spec.max_in_flight",
    items: "in",
    collection: "in",
    element: "iterator",
    enumerate: "_index in the body",
  },
  fields: {
    in: {
      shape: { is: "list", items: templatedData, orTemplate: true },
      required: true,
      says: "The items: a template that gives a list, or a list.",
    },
    iterator: {
      shape: {
        is: "text",
        templates: "none",
        pattern: {
          source: "^[\\p{L}_][\\p{L}\\p{N}_]*$",
          says: "a name of letters, digits and _",
        },
      },
      required: true,
      says: "The name under which the body sees its item (also iter.NAME).",
    },
    spec: {
      says: "How the items run.",
      shape: {
        is: "record",
        noun: "loop.spec",
        others: "refuse",
        unsupported: ["frame"],
        fields: {
          mode: {
            shape: { ...oneOf("sequential", "parallel"), unsupported: ["cursor"] },
            says: "One item after the other (default), or several at once.",
          },
          max_in_flight: {
            shape: { is: "number", whole: true, min: 1, orTemplate: true },
            says: "How many items run at once in parallel mode; a whole number or a template.",
          },
          policy: { shape: dataMap, says: "Accepted for older playbooks, without effect." },
        },
      },
    },
  },
};

const step: RecordShape = {
  is: "record",
  noun: "step",
  others: "refuse",
  unsupported: ["emit"],
  older: {
    when: "a condition on the arc that leads here: next.arcs[].when",
    type: "tool: {kind: …}",
    args: "input",
    case: "next.arcs[].when, or the tool's spec.policy.rules",
    set_ctx: "set",
    set_iter: "set: {iter.NAME: …}",
    vars: "set",
    outcome: "output in set and when",
    result: "output in set and when",
    retry: "the tool's spec.policy.rules with do: retry",
    sink: "a step of its own that stores the result",
    iterator: "loop.iterator",
  },
  fields: {
    step: {
      shape: name,
      required: true,
      says: "The step's name, unique in the playbook; templates see its result under it.",
    },
    desc: { shape: text, says: "What the step is for." },
    tool: {
      shape: either(tool, { is: "list", items: tool, itemsMin: 1 }),
      required: true,
      says: "The tool call, or a list of named ones that run one after the other as a pipeline.",
    },
    next: { shape: next, says: "Where to go when the step has ended; without it the branch ends." },
    loop: { shape: loop, says: "Runs the step's tool once per item." },
    set: {
      shape: setMap,
      says: "Values to set once the step has ended; templates see output.",
    },
    input: { shape: inputMap, says: "Input of every tool of this step." },
    output: { shape: templatedMap, says: "Where the result is kept and which fields are exposed." },
    spec: {
      says: "Settings of the step.",
      shape: {
        is: "record",
        noun: "step spec",
        others: "refuse",
        unsupported: ["policy"],
        older: { next_mode: "next.spec.mode", on_error: "an arc with event.name == 'call.error'" },
        fields: {
          timeout: {
            shape: { is: "number", min: 0 },
            says: "Seconds one attempt at the whole step may take.",
          },
          pool: { shape: text, says: "The worker pool that runs the step." },
          priority: {
            shape: { is: "number", whole: true, min: -priorityMax },
            says: "Higher goes first within the pool (default: the execution's own, else 0).",
          },
          labels: { shape: textList, says: "What a worker must have to be given the step." },
        },
      },
    },
  },
};

const executor: RecordShape = {
  is: "record",
  noun: "executor",
  others: "refuse",
  fields: {
    profile: { shape: oneOf("local", "distributed", "auto"), says: "Where it is meant to run." },
    version: { shape: text, says: "The runtime it was written for." },
    requires: { shape: dataMap, says: "Tools and features it needs." },
    spec: {
      says: "Settings of the run.",
      shape: {
        is: "record",
        noun: "executor.spec",
        others: "refuse",
        fields: {
          entry_step: { shape: name, says: "The first step (default: start, else the first)." },
          final_step: { shape: name, says: "Accepted for older playbooks, without effect." },
          no_next_is_error: {
            shape: flag,
            says: "A step with arcs of which none matches fails the execution.",
          },
          concurrency: {
            shape: { is: "number", whole: true, min: 1 },
            says: "Commands of this playbook that may run at a time, over all its executions.",
          },
          policy: { shape: dataMap, says: "Accepted for older playbooks, without effect." },
        },
      },
    },
  },
};

const metadata: RecordShape = {
  is: "record",
  noun: "metadata",
  others: "keep",
  fields: {
    name: { shape: name, required: true, says: "The playbook's name." },
    path: { shape: text, says: "Its place in the catalog." },
    description: { shape: text, says: "What it does." },
    tags: { shape: textList, says: "Words to find it by." },
    capabilities: { shape: textList, says: "What it can do, for agents that look for it." },
    labels: { shape: dataMap, says: "Keys and values of your own." },
    version: { shape: data, says: "The author's version." },
    exposes_as_mcp: { shape: data, says: "Offer the playbook to agents as an MCP tool." },
    exposed_in_ui: { shape: flag, says: "Show the playbook in the console." },
  },
};

const workbook: RecordShape = {
  is: "record",
  noun: "workbook entry",
  others: "refuse",
  fields: {
    name: { shape: name, required: true, says: "The name that steps call it by." },
    desc: { shape: text, says: "What it is for." },
    tool: { shape: tool, required: true, says: "The tool call." },
    sink: { shape: data, ignored: "store the result in a step", says: "Accepted, no effect." },
    assert: { shape: data, ignored: "use a policy rule", says: "Accepted, without effect." },
  },
};

export const playbook: RecordShape = {
  is: "record",
  noun: "playbook",
  others: "refuse",
  unsupported: ["finally"],
  older: {
    vars: "workload",
    steps: "workflow",
    name: "metadata.name",
    path: "metadata.path",
    spec: "executor.spec",
  },
  fields: {
    apiVersion: {
      shape: oneOf("noetl.io/v2", "noetl.io/v10"),
      required: true,
      says: "noetl.io/v2.",
    },
    kind: { shape: oneOf("Playbook"), required: true, says: "Playbook." },
    metadata: { shape: metadata, required: true, says: "What the playbook is." },
    workload: {
      shape: dataMap,
      says: "Default input. A request's keys replace these; values are data, never templates.",
    },
    keychain: {
      shape: {
        is: "list",
        items: {
          is: "record",
          noun: "keychain entry",
          others: "keep",
          fields: { name: { shape: name, required: true, says: "Seen as keychain.NAME." } },
        },
      },
      says: "Secrets that workers resolve, seen as keychain.NAME.FIELD.",
    },
    workbook: { shape: listOf(workbook), says: "Tool calls that several steps share." },
    executor: { shape: executor, says: "Where it begins and how it is run." },
    workflow: {
      shape: { is: "list", items: step, itemsMin: 1 },
      required: true,
      says: "The steps.",
    },
  },
};
