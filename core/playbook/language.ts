// The playbook language as shapes (language reference §§1, 8, 9): the root, metadata, executor,
// workbook and steps; keys of older forms with the form to use instead; keys that this version has
// no part for. Arcs, loops and policies are in language-*.ts, tool kinds in tool-fields.ts.

import { priorityMax } from "#core/model/limits";
import { next } from "./language-arcs.ts";
import { keychainEntry } from "./language-keychain.ts";
import { loop } from "./language-loop.ts";
import { admitPolicy, emit } from "./language-policy.ts";
import {
  condition,
  data,
  dataMap,
  either,
  flag,
  listOf,
  name,
  oneOf,
  type RecordShape,
  type Shape,
  setMap,
  templatedMap,
  text,
} from "./shape.ts";

const tool: Shape = { is: "tool" };
const textList: Shape = { is: "list", items: text, orSingle: true };

const step: RecordShape = {
  is: "record",
  noun: "step",
  others: "refuse",
  unsupported: emit.unsupported,
  older: {
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
  rewritten: { args: { shape: templatedMap, deprecated: true, says: "Older form of input." } },
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
    when: {
      shape: condition,
      says: "A guard: where it doesn't hold, the step is passed by and its arcs are asked.",
    },
    input: { shape: templatedMap, says: "Input of every tool of this step." },
    output: { shape: templatedMap, says: "Where the result is kept and which fields are exposed." },
    ...emit.fields,
    spec: {
      says: "Settings of the step.",
      shape: {
        is: "record",
        noun: "step spec",
        others: "refuse",
        unsupported: admitPolicy.unsupported,
        older: { next_mode: "next.spec.mode" },
        rewritten: {
          next_mode: {
            shape: oneOf("exclusive", "inclusive"),
            deprecated: true,
            says: "Older form of next.spec.mode.",
          },
        },
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
          on_error: {
            shape: data,
            deprecated: true,
            ignored: "use an arc with event.name == 'call.error'",
            says: "Accepted for older playbooks, without effect.",
          },
          ...admitPolicy.fields,
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
    kind: { shape: oneOf("Playbook", "Agent"), required: true, says: "Playbook, or Agent." },
    metadata: { shape: metadata, required: true, says: "What the playbook is." },
    workload: {
      shape: dataMap,
      says: "Default input. A request's keys replace these; values are data, never templates.",
    },
    keychain: {
      shape: {
        is: "list",
        items: keychainEntry,
      },
      says: "Secrets that are resolved for tools, seen as keychain.NAME.FIELD.",
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
