// Playbook texts for tests: a good one, and ways to put one thing into it.

import { expect } from "bun:test";
import { type PlaybookParsing, parsePlaybook } from "#core/playbook/parse";

export const header = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: sample}\n";

/** A playbook of one step `start` with this tool, given as the lines under `tool:`. */
export function withTool(...lines: readonly string[]): string {
  return withStep("    tool:", ...lines.map((line) => `      ${line}`));
}

/** A playbook of the step `start` with these lines, and a step `end`. */
export function withStep(...lines: readonly string[]): string {
  return (
    `${header}workflow:\n  - step: start\n${lines.join("\n")}\n` +
    "  - step: end\n    tool: {kind: noop}\n"
  );
}

/** A playbook of the step `start` that does nothing, with these lines beside its tool. */
export function withStepKeys(...lines: readonly string[]): string {
  return withStep("    tool: {kind: noop}", ...lines.map((line) => `    ${line}`));
}

/** Every problem as `line:column: message`. */
export function problemsOf(source: string): readonly string[] {
  const result = parsePlaybook(source);
  return result.ok ? [] : result.problems.map(shown);
}

export function warningsOf(source: string): readonly string[] {
  return parsePlaybook(source).warnings.map(shown);
}

function shown(problem: { line: number; column: number; message: string }): string {
  return `${problem.line}:${problem.column}: ${problem.message}`;
}

/** The document of a playbook that must be good. */
export function documentOf(source: string): (PlaybookParsing & { ok: true })["document"] {
  const result = parsePlaybook(source);
  if (!result.ok) throw new Error(result.problems.map(shown).join("\n"));
  return result.document;
}

/** `line:column` at which a text stands in another one for the first time. */
export function positionOf(source: string, text: string): string {
  const offset = source.indexOf(text);
  if (offset === -1) throw new Error(`no ${text} in the source`);
  const before = source.slice(0, offset).split("\n");
  return `${before.length}:${(before[before.length - 1] ?? "").length + 1}`;
}

/** The one problem of a playbook, found at the place where `at` stands. */
export function expectProblem(source: string, at: string, message: string): void {
  expect(problemsOf(source)).toEqual([`${positionOf(source, at)}: ${message}`]);
}

export function expectWarning(source: string, at: string, message: string): void {
  expect(problemsOf(source)).toEqual([]);
  expect(warningsOf(source)).toEqual([`${positionOf(source, at)}: ${message}`]);
}

/** Uses every part of the language. */
export const goodPlaybook = `apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: orders
  path: shop/orders
  description: Fetches orders and stores them
  tags: shop
  capabilities: [orders]
  version: 3
  labels: {team: shop}
  exposed_in_ui: true
  owner: {mail: shop@example.org}
workload:
  api: https://example.org
  404: not found
  template: "{{ stays text"
keychain:
  - {name: token, kind: bearer, auth: shop}
workbook:
  - name: greet
    tool:
      kind: python
      code: result = 'hello'
      spec: {policy: {rules: [{else: , then: {do: break}}]}}
executor:
  profile: auto
  requires: {tools: [http]}
  spec: {entry_step: fetch, no_next_is_error: true}
workflow:
  - step: fetch
    desc: One page of orders
    input: {page: "{{ workload.page }}"}
    tool:
      kind: http
      method: GET
      url: "{{ workload.api }}/orders"
      headers: {Authorization: "Bearer {{ keychain.token.value }}"}
      timeout: "{{ workload.timeout | default(30) }}"
      spec:
        policy:
          mode: exclusive
          on_unmatched: fail
          rules:
            - when: "output.http.status in [429, 503]"
              then: {do: retry, attempts: 5, backoff: exponential, delay: 0.5}
            - when: true
              then: {set: {ctx.page: "{{ output.data.page }}"}}
    when: "{{ workload.api is defined }}"
    set: {orders: "{{ output.data.orders }}", ctx.total: 0}
    output: {store: {kind: kv}}
    emit: {event: orders.fetched, data: {count: "{{ orders | length }}"}}
    spec:
      timeout: 60
      pool: default
      policy: {admit: {rules: [{when: a, then: {allow: true}}, {else: {then: {allow: false}}}]}}
    next:
      spec: {mode: inclusive, on_no_match: complete}
      arcs:
        - {step: each, when: "{{ orders | length > 0 }}", set: {ctx.seen: true}}
        - {step: end, when: false}
  - step: each
    loop:
      in: "{{ orders }}"
      iterator: order
      spec: {mode: parallel, max_in_flight: "{{ workload.width }}"}
    tool:
      - name: read
        kind: postgres
        auth: pg
        command: "select {{ order.id }}"
        spec:
          policy:
            rules:
              - when: output.status == 'error'
                then: {do: jump, to: note}
              - else: {then: {do: break}}
      - kind: duckdb
        commands: [select 1, select 2]
      - name: note
        kind: noop
        result: {done: true}
        spec: {policy: {rules: [{else: null, then: {do: jump, to: previous}}]}}
      - name: last
        kind: noop
        spec:
          policy:
            mode: inclusive
            rules: [{when: true, then: {set: {a: 1}}}, {else: , then: {do: fail}}]
    next: {arcs: [{step: greet}]}
  - step: greet
    tool: {kind: workbook, name: greet, input: {who: you}}
    next: {arcs: [{step: child}]}
  - step: child
    tool: {kind: playbook, path: shop/child, input: {a: 1}, return_step: end}
    next: {arcs: [{step: shell}]}
  - step: shell
    tool: {kind: shell, cmds: [ls, pwd]}
    next: {arcs: [{step: js}]}
  - step: js
    loop: {in: [1, "{{ two }}", {three: 3}], iterator: n}
    tool: {kind: javascript, code: "return n"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: artifact, action: get, result_ref: "{{ each._ref }}"}
`;
