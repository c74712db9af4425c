// Rewriting what only the command line of earlier versions ran: `case`, and conditions in Rhai.

import { describe, expect, test } from "bun:test";
import { migratePlaybook } from "#core/playbook/migrate";
import { end, expectMigrated, leftIn, playbook, start } from "./migrated.ts";
import { positionOf } from "./playbook-text.ts";

describe("what the command line of earlier versions ran", () => {
  test("case becomes arcs, conditions in Rhai become templates", () => {
    expectMigrated(
      `  - step: start
    tool: {kind: shell, cmds: [ls]}
    case:
      # when it is large
      - when: "workload.n > 3 && !workload.dry"
        then:
          - set: {ctx.seen: true}
          - next: [{step: large, args: {page: 1}}]
      - when: "{{ workload.n == 2 }}"   # two
        then: {next: small}
      - else: {next: [end]}
  - step: large
    tool: {kind: noop}
    next:
      - step: end
        cond: 'large.name == "x"'   # named so
      - step: small
  - {step: small, tool: {kind: noop}}
${end}`,
      `  - step: start
    tool: {kind: shell, cmds: [ls]}
    # when it is large
    # two
    next:
      arcs:
        - {step: large, when: "{{ workload.n > 3 and not workload.dry }}", set: {page: 1, ctx.seen: true}}
        - {step: small, when: "{{ workload.n == 2 }}"}
        - {step: end}
  - step: large
    input: {page: "{{ ctx.page }}"}
    tool: {kind: noop}
    next:
      arcs:
        - step: end
          when: "{{ large.name == 'x' }}"   # named so
        - step: small
  - {step: small, tool: {kind: noop}}
${end}`,
    );
  });

  test("what has no words here stays, and is told of", () => {
    for (const [lines, place, message] of [
      ["case: [{when: a, then: {call: b}}]", "case", "step key 'case' is an older form; use "],
      ["case: [{when: a, then: {next: [start, end]}}]", "case", "step key 'case' is an older form"],
      ["case: [{when: f(x), then: {next: end}}]", "case", "step key 'case' is an older form"],
      [
        "next: {arcs: [{step: end, cond: x + 1}]}",
        "cond",
        "arc key 'cond' is an older form; use when",
      ],
    ] as const) {
      const source = playbook(`${start}    ${lines}\n${end}`);
      expect(migratePlaybook(source).text).toBe(source);
      expect(leftIn(source)[0]).toStartWith(`${positionOf(source, place)}: ${message}`);
    }
    const kinds = playbook(
      "  - {step: start, tool: {kind: rhai}}\n  - {step: b, tool: {kind: sink}}\n",
    );
    expect(leftIn(kinds)).toHaveLength(2);
  });
});
