// The playbooks of the distributed benches: the shapes that workflow engines are compared by.

import { playbookText } from "./bench-plans.ts";

/** One step with so many iterations that do nothing, all at once, and a step after them. */
export function fanText(items: number): string {
  return playbookText(
    "fan",
    `- step: start
  loop: {in: "{{ range(${items}) | list }}", iterator: item, spec: {mode: parallel, max_in_flight: ${items}}}
  tool: {kind: noop}
  next: {arcs: [{step: join}]}
- step: join
  tool: {kind: noop}`,
  );
}

/** So many steps after one, and a step that joins them. */
export function wideText(steps: number): string {
  const names = Array.from({ length: steps }, (_, index) => `side_${index}`);
  const arcs = names.map((name) => `{step: ${name}}`).join(", ");
  const sides = names.map(
    (name) => `- {step: ${name}, tool: {kind: noop}, next: {arcs: [{step: join}]}}`,
  );
  return playbookText(
    "wide",
    `- step: start
  tool: {kind: noop}
  next: {spec: {mode: inclusive}, arcs: [${arcs}]}
${sides.join("\n")}
- step: join
  tool: {kind: noop}`,
  );
}

export const childText = playbookText("child", "- {step: start, tool: {kind: noop}}");

/** So many sub-playbooks at once, and a step after them. */
export function childrenText(items: number): string {
  return playbookText(
    "children",
    `- step: start
  loop: {in: "{{ range(${items}) | list }}", iterator: item, spec: {mode: parallel, max_in_flight: ${items}}}
  tool: {kind: playbook, path: child}
  next: {arcs: [{step: join}]}
- step: join
  tool: {kind: noop}`,
  );
}

/** A document from a server, a few values of it, a row in a table. */
export function etlText(url: string): string {
  return playbookText(
    "etl",
    `- step: start
  tool: {kind: http, method: GET, url: "${url}"}
  next: {arcs: [{step: transform}]}
- step: transform
  tool:
    kind: noop
  set:
    total: "{{ start.data['items'] | map(attribute='price') | sum }}"
    count: "{{ start.data['items'] | length }}"
  next: {arcs: [{step: insert}]}
- step: insert
  tool:
    kind: postgres
    auth: bench_pg
    command: "insert into etl_out (run, body) values ($1, $2::jsonb)"
    params: ["{{ execution_id }}", "{{ {'id': start.data.id, 'total': total, 'count': count} | tojson }}"]`,
  );
}
