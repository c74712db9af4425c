// The load of a storm: playbooks of each shape, with how an execution of each ends when nothing goes
// wrong. Every result carries the run's own number, so that results can't be mixed up unseen.

import type { Json } from "#core/model/json";

export interface Ending {
  readonly status: "COMPLETED" | "FAILED";
  readonly result: Json;
  readonly failedSteps: readonly string[];
}

export interface Shape {
  readonly path: string;
  readonly content: string;
  /** How the run with this number ends without faults. */
  readonly ending: (n: number) => Ending;
  /** Rows that it leaves in the database of effects. */
  readonly effects: number;
}

/** The credential's alias, and the database behind it. */
export const effectsAlias = "storm_effects";

const head = (path: string): string =>
  `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${path.replace(/\W/g, "_")}, path: ${path}}
workflow:
`;

const retry = (attempts: number, delaySeconds: number): string =>
  `spec: {policy: {rules: [{when: "{{ output.status == 'error' }}", ` +
  `then: {do: retry, attempts: ${attempts}, delay: ${delaySeconds}}}]}}`;

const to = (...steps: readonly string[]): string =>
  `  next: {spec: {mode: inclusive}, arcs: [${steps.map((step) => `{step: ${step}}`).join(", ")}]}`;

const value = (text: string): string => `{kind: noop, result: "{{ ${text} }}"}`;

const get = (path: string): string =>
  `kind: http, url: "{{ workload.base }}/${path}?execution={{ execution_id }}&item={{ item | default(0) }}"`;

const completed = (result: Json): Ending => ({ status: "COMPLETED", result, failedSteps: [] });

const chain: Shape = {
  path: "storm/chain",
  content: `- step: start
  tool: ${value("workload.n + 1")}
${to("two")}
- step: two
  tool: ${value("start * 2")}
${to("three")}
- step: three
  tool: ${value("two + start")}
${to("four")}
- step: four
  tool: ${value("three + 1")}
${to("end")}
- step: end
  tool: ${value("[workload.n, four]")}
`,
  ending: (n) => completed([n, 3 * (n + 1) + 1]),
  effects: 0,
};

const loop: Shape = {
  path: "storm/loop",
  content: `- step: start
  loop: {in: "{{ range(12) | list }}", iterator: item, spec: {mode: parallel, max_in_flight: 4}}
  tool: ${value("item + workload.n")}
${to("end")}
- step: end
  tool: ${value("start.results")}
`,
  ending: (n) => completed(Array.from({ length: 12 }, (_, item) => item + n)),
  effects: 0,
};

const join: Shape = {
  path: "storm/join",
  content: `- step: start
  tool: {kind: noop}
${to("left", "middle", "right")}
- step: left
  tool: ${value("workload.n + 1")}
${to("end")}
- step: middle
  tool: ${value("workload.n + 2")}
${to("more")}
- step: more
  tool: ${value("middle * 10")}
${to("end")}
- step: right
  tool: ${value("workload.n + 3")}
${to("end")}
- step: end
  tool: ${value("[left, more, right]")}
`,
  ending: (n) => completed([n + 1, (n + 2) * 10, n + 3]),
  effects: 0,
};

const child: Shape = {
  path: "storm/child",
  content: `- step: start
  tool: ${value("workload.n * 3")}
${to("end")}
- step: end
  tool: ${value("{'tripled': start}")}
`,
  ending: (n) => completed({ tripled: n * 3 }),
  effects: 0,
};

const parent: Shape = {
  path: "storm/parent",
  content: `- step: start
  loop: {in: [0, 1, 2], iterator: item, spec: {mode: parallel, max_in_flight: 2}}
  tool: {kind: playbook, path: ${child.path}, return_result: true, input: {n: "{{ item + workload.n }}"}}
${to("end")}
- step: end
  tool: ${value("start.results | map(attribute='tripled') | list")}
`,
  ending: (n) => completed([n * 3, (n + 1) * 3, (n + 2) * 3]),
  effects: 0,
};

/** The wait is longer than five seconds: the pipeline gives its slot back meanwhile. */
const patient: Shape = {
  path: "storm/patient",
  content: `- step: start
  tool:
    - {name: first, ${get("first")}}
    - {name: second, ${get("flaky")}, ${retry(50, 6)}}
${to("end")}
- step: end
  tool: ${value("[workload.n, start.status_code]")}
`,
  ending: (n) => completed([n, 200]),
  effects: 0,
};

/** Most of what is under way at any moment is one of these calls. */
const slow: Shape = {
  path: "storm/slow",
  content: `- step: start
  loop: {in: [0, 1, 2, 3], iterator: item, spec: {mode: parallel, max_in_flight: 4}}
  tool: {${get("slow")}}
${to("end")}
- step: end
  tool: ${value("[workload.n, start.stats.total]")}
`,
  ending: (n) => completed([n, 4]),
  effects: 0,
};

const recovering: Shape = {
  path: "storm/recovering",
  content: `- step: start
  tool: {${get("broken")}}
  next: {arcs: [{step: end}, {step: mend, when: "{{ event.name == 'call.error' }}"}]}
- step: mend
  tool: ${value("workload.n + 7")}
${to("end")}
- step: end
  tool: ${value("[mend, 'mended']")}
`,
  ending: (n) => completed([n + 7, "mended"]),
  effects: 0,
};

const failing: Shape = {
  path: "storm/failing",
  content: `- step: start
  tool: {kind: noop}
${to("bad", "good")}
- step: good
  tool: ${value("workload.n")}
${to("end")}
- step: bad
  tool: {${get("broken")}, ${retry(2, 1)}}
${to("end")}
- step: end
  tool: ${value("good")}
`,
  ending: () => ({ status: "FAILED", result: null, failedSteps: ["bad"] }),
  effects: 0,
};

/**
 * Each item leaves one row under its idempotency key, however often its pipeline runs; it goes on for a
 * while after the row is there, so that a lost worker makes it run again.
 */
const effect: Shape = {
  path: "storm/effect",
  content: `- step: start
  loop: {in: [0, 1, 2], iterator: item, spec: {mode: parallel, max_in_flight: 3}}
  tool:
    - {name: key, kind: python, code: "result = context['idempotency_key']"}
    - name: insert
      kind: postgres
      auth: ${effectsAlias}
      command: "insert into effect (key, run, item) values ($1, $2, $3) on conflict (key) do nothing"
      params: ["{{ key }}", "{{ workload.run }}", "{{ item }}"]
      ${retry(1_000, 1)}
    - {name: hold, ${get("slow")}}
${to("end")}
- step: end
  tool: ${value("[workload.n, start.stats.total]")}
`,
  ending: (n) => completed([n, 3]),
  effects: 3,
};

/** What is started, in turn. */
export const shapes: readonly Shape[] = [
  ...[chain, loop, join, parent, slow, chain, recovering],
  ...[failing, effect, patient, chain, slow],
];

/** Everything that the catalog needs, what others need first. */
export const storedShapes: readonly Shape[] = [...new Set([child, ...shapes])];

/** The playbook as it is registered. */
export function playbookText({ path, content }: Shape): string {
  return head(path) + content;
}
