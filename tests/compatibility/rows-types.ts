// Rows of the types that templates give, and of what counts as true (language reference §3.5).

import { different, gives, type Row, rowsIn, same, shown, tool } from "./row.ts";

const falseWords = ["false", "0", "No", "none", "null", "OFF", ""]
  .map((word) => `{step: wrong, when: "{{ '${word}' }}"}`)
  .join(", ");

export const rows: readonly Row[] = [
  ...rowsIn("type", "§3.5", [
    same(
      ["lone expression"],
      "keeps the type of its value; with text around it, it becomes text",
      shown(
        "language/gotchas.test.ts",
        "4: a lone expression keeps its type, a literal is never coerced, tojson is text",
      ),
    ),
    different(["literals"], {
      says: 'are what they are: `"123"` is text, `"02134"` keeps its zero, an empty text is no null',
      why: "one implementation turns every text that looks like something else into that",
      proof: gives(tool('kind: noop, result: ["123", "02134", "", "true", "[1]"]'), [
        "123",
        "02134",
        "",
        "true",
        "[1]",
      ]),
    }),
    different(["rendered text that looks like a value"], {
      says: "stays text",
      why: "both implementations turn `5` and `true` into values, so that a text's type depends on its content",
      proof: gives(tool(`kind: noop, result: ["{{ '5' }}", "{{ 'tr' }}ue"]`), ["5", "true"]),
    }),
    same(
      ["tojson stays text"],
      "as in the Python implementation",
      gives(tool("kind: noop, result: \"{{ {'a': 1} | tojson }}\""), '{"a":1}'),
    ),
    same(
      ["null in the context"],
      "is none and is defined, and `default` replaces it",
      shown("language/gotchas.test.ts", "5: null is none, is defined, and default fires on it"),
    ),
    different(["True and None in text"], {
      says: "print as in Python: `True`, `None`",
      why: "Jinja2 does; one of the engines prints `true` and `none`",
      proof: gives(tool('kind: noop, result: "{{ true }} {{ none }}"'), "True None"),
    }),
    different(["double rendering"], {
      says: "does not exist: text that came from data is never a template",
      why:
        "one implementation renders on the server and again on the worker, so that fetched text with " +
        "braces is evaluated",
      proof: shown(
        "language/bad-input.test.ts",
        "data that contains template marks, through every hand it passes",
      ),
    }),
    same(
      ["truth of when"],
      "false for undefined, null, false, 0, what is empty, and the words `false`, `0`, `no`, " +
        "`none`, `null` and `off` in any case",
      gives(
        `- step: start
  tool: {kind: noop}
  next: {spec: {mode: inclusive}, arcs: [${falseWords}, {step: end, when: "{{ 'x' }}"}]}
- step: wrong
  tool: {kind: noop}
- step: end
  tool: {kind: noop, result: [here]}
`,
        ["here"],
      ),
    ),
    same(
      ["undefined in comparisons"],
      "is equal to nothing, and arithmetic on it is an error",
      gives(tool('kind: noop, result: "{{ missing == 1 }}"'), false),
    ),
    different(["errors of templates"], {
      says: "fail the step or the call, with the place and never a value",
      why: "one implementation keeps the text of the template as the value, the other ends the execution",
      proof: shown(
        "unit/core/engine/routing.test.ts",
        "of a step whose input can't be rendered can be recovered like any other",
      ),
    }),
  ]),
];
