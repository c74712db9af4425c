// Playbooks of each shape that the product must carry through anything: every one ends the same
// way whatever order its commands end in.

import type { Json, JsonObject } from "#core/model/json";

export interface Script {
  readonly path: string;
  readonly content: string;
  readonly workload: JsonObject;
  /** Scripts that this one starts. */
  readonly needs: readonly string[];
  /** What somebody outside answers to it, some time after it was started. */
  readonly answers: readonly Answer[];
}

export interface Answer {
  readonly key: string;
  readonly afterMs: number;
  readonly data: Json;
}

const head = (path: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${path.replace(/\W/g, "_")}, path: ${path}}\nworkflow:\n`;

const tool = (input: string, rules = ""): string =>
  `{kind: python, code: none, input: ${input}${rules}}`;

const retry = (attempts: number, delaySeconds: number): string =>
  `, spec: {policy: {rules: [{when: "{{ output.status == 'error' }}", ` +
  `then: {do: retry, attempts: ${attempts}, delay: ${delaySeconds}}}]}}`;

const arcs = (...to: readonly string[]): string =>
  `  next: {spec: {mode: inclusive}, arcs: [${to.map((step) => `{step: ${step}}`).join(", ")}]}\n`;

const texts: Readonly<Record<string, string>> = {
  "sim/chain": `- step: start
  tool: ${tool("{value: 1}")}
${arcs("two")}- step: two
  tool: ${tool('{value: "{{ start + 1 }}"}')}
${arcs("three")}- step: three
  tool: {kind: noop, result: "{{ two * 10 }}"}
${arcs("end")}- step: end
  tool: ${tool('{value: ["{{ start }}", "{{ two }}", "{{ three }}"]}')}
`,
  "sim/sequence": `- step: start
  loop: {in: [1, 2, 3], iterator: item, spec: {mode: sequential}}
  tool: ${tool('{value: "{{ item * 2 }}"}')}
${arcs("end")}- step: end
  tool: {kind: noop, result: "{{ start.results }}"}
`,
  "sim/parallel": `- step: start
  loop: {in: [1, 2, 3, 4, 5, 6, 7], iterator: item, spec: {mode: parallel, max_in_flight: 3}}
  tool: ${tool('{value: "{{ item * 2 }}", fails: "{{ item % 2 }}"}', retry(4, 1))}
${arcs("end")}- step: end
  tool: {kind: noop, result: "{{ start.results }}"}
`,
  "sim/join": `- step: start
  tool: {kind: noop}
${arcs("left", "middle", "right")}- step: left
  tool: ${tool("{value: l}")}
${arcs("end")}- step: middle
  tool: ${tool("{value: m}")}
${arcs("more")}- step: more
  tool: ${tool('{value: "{{ middle }}{{ middle }}"}')}
${arcs("end")}- step: right
  tool: ${tool("{value: r}")}
${arcs("end")}- step: end
  tool: ${tool('{value: "{{ left }}{{ more }}{{ right }}"}')}
`,
  "sim/child": `- step: start
  tool: ${tool('{value: "{{ workload.who }}"}')}
${arcs("end")}- step: end
  tool: {kind: noop, result: {greeted: "{{ start }}"}}
`,
  "sim/parent": `- step: start
  tool: {kind: playbook, path: sim/child, return_result: true, input: {who: Ada}}
${arcs("end")}- step: end
  tool: ${tool('{value: "{{ start.greeted }}"}')}
`,
  "sim/parents": `- step: start
  loop: {in: [a, b, c], iterator: item, spec: {mode: parallel, max_in_flight: 2}}
  tool: {kind: playbook, path: sim/child, return_result: true, input: {who: "{{ item }}"}}
${arcs("loose")}- step: loose
  tool: {kind: playbook, path: sim/chain, return_result: false}
${arcs("end")}- step: end
  tool: ${tool('{value: "{{ start.results }}"}')}
`,
  "sim/patient": `- step: start
  tool:
    - {name: one, kind: python, code: none, input: {value: 5}, set: {ctx.seen: "{{ output.data }}"}}
    - {name: two, kind: python, code: none, input: {value: 7, fails: 2}${retry(6, 9)}}
    - {name: three, kind: noop, result: "{{ one + two + ctx.seen }}"}
${arcs("end")}- step: end
  tool: ${tool('{value: ["{{ start }}", "{{ ctx.seen }}"]}')}
`,
  "sim/recover": `- step: start
  tool: ${tool("{broken: true}")}
  next: {arcs: [{step: end}, {step: mend, when: "{{ event.name == 'call.error' }}"}]}
- step: mend
  tool: ${tool("{value: mended}")}
${arcs("end")}- step: end
  tool: {kind: noop, result: "{{ mend | default('never') }}"}
`,
  "sim/failing": `- step: start
  tool: {kind: noop}
${arcs("bad", "good")}- step: good
  tool: ${tool("{value: 1}")}
${arcs("end")}- step: bad
  tool: ${tool("{broken: true, fails: 3}", retry(2, 7))}
${arcs("end")}- step: end
  tool: ${tool('{value: "{{ good }}"}')}
`,
  "sim/deadly": `- step: start
  tool: {kind: noop}
${arcs("bad", "good")}- step: bad
  tool: ${tool("{deadly: true}")}
${arcs("end")}- step: good
  tool: ${tool("{value: 1}")}
${arcs("end")}- step: end
  tool: {kind: noop, result: "{{ good }}"}
`,
  "sim/large": `- step: start
  tool: ${tool("{value: 3, bytes: 110000}")}
${arcs("end")}- step: end
  tool: ${tool('{value: "{{ start.value }}"}')}
`,
  "sim/cursor": `- step: start
  loop:
    cursor:
      kind: postgres
      claim: '{"queue": "{{ execution_id }}", "frame": "{{ __frame_key }}", "max": {{ __frame_max_rows }}}'
    iterator: row
    spec: {mode: cursor, max_in_flight: 3, frame: {max_rows: 2, row_concurrency: 2}}
  tool: {kind: postgres, command: '{"queue": "{{ execution_id }}", "row": {{ row.id }}}'}
${arcs("end")}- step: end
  tool: {kind: noop, result: {total: "{{ start.stats.total }}", done: "{{ start.stats.success }}"}}
`,
  "sim/wait": `- step: start
  tool: {kind: noop}
${arcs("time", "word")}- step: time
  tool: {kind: wait, for: timer, seconds: 9}
${arcs("end")}- step: word
  loop: {in: [a, b], iterator: item, spec: {mode: parallel}}
  tool: {kind: wait, for: callback, key: "{{ 'word' if item == 'a' else 'early' }}", timeout_s: 3600}
${arcs("end")}- step: end
  tool: ${tool('{value: "{{ word.results }}"}')}
`,
};

const needs: Readonly<Record<string, readonly string[]>> = {
  "sim/parent": ["sim/child"],
  "sim/parents": ["sim/child", "sim/chain"],
};

/** The first may come before anybody waits for it. */
const answers: Readonly<Record<string, Script["answers"]>> = {
  "sim/wait": [
    { key: "early", afterMs: 0, data: "soon" },
    { key: "word", afterMs: 20_000, data: { late: true } },
  ],
};

export const scripts: readonly Script[] = Object.entries(texts).map(([path, steps]) => ({
  path,
  content: head(path) + steps,
  workload: path === "sim/child" ? { who: "nobody" } : {},
  needs: needs[path] ?? [],
  answers: answers[path] ?? [],
}));

export { head as playbookHead };
