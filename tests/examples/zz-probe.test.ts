// probe
import { test } from "bun:test";
import { startExampleHouse } from "./example-house.ts";
const end = (r: string) => `  - step: end\n    tool: {kind: noop, result: ${r}}\n`;
const cases: [string, string][] = [
  ["full", `  - step: fetch\n    tool: {kind: http, url: "{{ api }}/heavy?rows=300"}\n    next: {arcs: [{step: each}]}\n  - step: each\n    loop: {in: "{{ fetch.data.rows }}", iterator: row, spec: {mode: parallel, max_in_flight: 50}}\n    tool: {kind: noop, result: {id: "{{ row.id }}", text: "{{ row.text }}"}}\n    next: {arcs: [{step: end}]}\n` + end(`{n: "{{ each.results | length }}", sum: "{{ each.results | sum(attribute='id') }}", first: "{{ fetch.data.rows[0].id }}", last: "{{ fetch.data.rows[-1].id }}", len: "{{ fetch.data.rows | length }}"}`)],
  ["n_only", `  - step: fetch\n    tool: {kind: http, url: "{{ api }}/heavy?rows=300"}\n    next: {arcs: [{step: each}]}\n  - step: each\n    loop: {in: "{{ fetch.data.rows }}", iterator: row, spec: {mode: parallel, max_in_flight: 50}}\n    tool: {kind: noop, result: {id: "{{ row.id }}", text: "{{ row.text }}"}}\n    next: {arcs: [{step: end}]}\n` + end(`{n: "{{ each.results | length }}"}`)],
  ["fetch_only", `  - step: fetch\n    tool: {kind: http, url: "{{ api }}/heavy?rows=300"}\n    next: {arcs: [{step: each}]}\n  - step: each\n    loop: {in: "{{ fetch.data.rows }}", iterator: row, spec: {mode: parallel, max_in_flight: 50}}\n    tool: {kind: noop, result: {id: "{{ row.id }}", text: "{{ row.text }}"}}\n    next: {arcs: [{step: end}]}\n` + end(`{first: "{{ fetch.data.rows[0].id }}"}`)],
];
for (const [name, wf] of cases) test(name, async () => {
  const h = await startExampleHouse({policy: {shell: true}});
  await h.house.register(`apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}, path: examples/${name}}\nworkflow:\n${wf}`);
  const id = await h.house.start("examples/" + name, {api: h.api.url});
  const r = await Promise.race([h.house.ended(id), Bun.sleep(4000).then(() => undefined)]);
  console.log(name, r?.status, r?.error, JSON.stringify(r?.result));
  if (r === undefined) { const ev = await h.house.stores.log.events(id as any, 0, 5000); console.log(ev.length, ev.slice(-3).map(e => e.text.slice(0, 300))); console.log(h.house.reports, await h.house.stores.log.backlog()); }
  await Promise.race([h.close(), Bun.sleep(3000)]);
}, 20000);
