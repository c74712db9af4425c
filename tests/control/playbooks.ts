// Playbooks that the tests of the control plane share.

const head = (path: string): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${path.replace(/\W/g, "_")}, path: ${path}}
workload: {who: nobody, items: []}
workflow:`;

/** Steps that run one after the other: `s1`, `s2`, … */
export function chain(path: string, steps: number, tool = "kind: noop"): string {
  const texts = Array.from({ length: steps }, (_, index) => {
    const next = index + 1 < steps ? `\n  next: {arcs: [{step: s${index + 2}}]}` : "";
    return `- step: s${index + 1}\n  tool: {${tool}}${next}`;
  });
  return [head(path), ...texts].join("\n");
}

/** A parallel loop over `items`, then `after`, whose input is `then`. */
export function loop(path: string, inFlight: number, then = "{{ each.results | length }}"): string {
  return `${head(path)}
- step: each
  loop: {in: "{{ items }}", iterator: item, spec: {mode: parallel, max_in_flight: ${inFlight}}}
  tool: {kind: noop, message: "{{ item }}"}
  next: {arcs: [{step: after}]}
- step: after
  tool: {kind: noop, message: "${then}"}`;
}

/** Starts `child`; with `awaited` the step's result is the child's. */
export function parent(path: string, child: string, awaited = true): string {
  return `${head(path)}
- step: start
  tool: {kind: playbook, path: ${child}, return_result: ${awaited}, input: {who: "{{ who }}"}}
  next: {arcs: [{step: after}]}
- step: after
  tool: {kind: noop, message: "{{ start }}"}`;
}

/** Waits for `child` for so many seconds; `rescue` is given the status that it had then. */
export function impatient(path: string, child: string, seconds: number): string {
  return `${head(path)}
- step: start
  tool: {kind: playbook, path: ${child}, return_result: true, timeout: ${seconds}}
  next: {arcs: [{step: rescue, when: "{{ error.kind == 'timeout' }}"}]}
- step: rescue
  tool: {kind: noop, message: "{{ start.status }}"}`;
}

/** A child for each of `items`, all at once. */
export function parentLoop(path: string, child: string): string {
  return `${head(path)}
- step: each
  loop: {in: "{{ items }}", iterator: item, spec: {mode: parallel, max_in_flight: 50}}
  tool: {kind: playbook, path: ${child}, return_result: true, input: {who: "{{ item }}"}}
  next: {arcs: [{step: after}]}
- step: after
  tool: {kind: noop, message: "{{ each.results }}"}`;
}

/** The second step of two gets the first one's result and the variable `hint`. */
export function passing(path: string): string {
  return `${head(path)}
- step: first
  tool: {kind: noop, message: "{{ who }}"}
  next: {arcs: [{step: second}]}
- step: second
  tool: {kind: noop, message: "{{ first }}", hint: "{{ hint | default('none') }}"}`;
}
