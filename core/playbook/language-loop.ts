// What the language says of loops (language reference §1.6): the items or the cursor they come from,
// their name, and how many are worked on at once. Which keys go together is for check-cursor.ts.

import { dataMap, oneOf, type RecordShape, templatedData } from "./shape.ts";

export const loop: RecordShape = {
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
      mayBeEmpty: true,
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
