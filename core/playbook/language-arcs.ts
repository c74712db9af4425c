// What the language says of arcs (language reference §1.7): where to go when a step has ended, under
// which condition, and what is set on the way. Whether an arc's step exists is for check-step.ts.

import { condition, data, listOf, name, oneOf, type RecordShape, setMap } from "./shape.ts";

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

export const next: RecordShape = {
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
