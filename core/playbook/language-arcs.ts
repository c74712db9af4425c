// What the language says of arcs (language reference §1.7): where to go when a step has ended, under
// which condition, and what is set on the way. Whether an arc's step exists is for check-step.ts.

import {
  condition,
  data,
  either,
  type Field,
  listOf,
  name,
  oneOf,
  type RecordShape,
  setMap,
  text,
} from "./shape.ts";

/** Rewritten as values that are set, and as input of the step that the arc leads to. */
const handedOver: Field = {
  shape: setMap,
  deprecated: true,
  says: "Older form of set, and of the input of the step it leads to.",
};

const arc: RecordShape = {
  is: "record",
  noun: "arc",
  others: "refuse",
  instead: { text: "is no arc; write {step: NAME}" },
  older: { args: "set", condition: "when", cond: "when", expr: "when", if: "when", input: "set" },
  rewritten: { args: handedOver, input: handedOver },
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

const mode = oneOf("exclusive", "inclusive");

export const next: RecordShape = {
  is: "record",
  noun: "next",
  others: "refuse",
  olderShapes: [
    { shape: text, says: "Older form: the name of the only step to go to." },
    { shape: listOf(either(text, arc)), says: "Older form: names, or arcs, without a map around." },
    { shape: arc, says: "Older form: the only arc, without a list around." },
  ],
  instead: {
    text: "is an older form; write next: {arcs: [{step: NAME}]}",
    list: "is an older form; write next: {arcs: [{step: NAME, when: CONDITION}, …]}",
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
        rewritten: { next_mode: { shape: mode, deprecated: true, says: "Older form of mode." } },
        fields: {
          mode: {
            shape: mode,
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
