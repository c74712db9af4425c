// The distributed shape from the compiled binary alone, out of sight of the checkout: control planes
// over a real PostgreSQL and a real NATS server, workers beside them, and the death of one of each.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { type Cluster, startCluster } from "#scripts/cluster";
import { type Workplace, workplace } from "#tests/cli/noetl";
import { binaryTestMs, builtBinary, runBinary, withoutCheckout } from "./binary.ts";

const heading = (path: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${path}, path: ${path}}\nworkflow:\n`;

/** Steps of a tenth of a second in three languages, so that a death finds some of them running. */
const playbooks: Readonly<Record<string, string>> = {
  chain: `${heading("chain")}
  - step: first
    tool: {kind: python, code: "import time; time.sleep(0.1); result = {'n': 1}"}
    next: {arcs: [{step: second}]}
  - step: second
    tool: {kind: javascript, input: {n: "{{ first.n }}"}, code: "return {n: n + 1}"}
    next: {arcs: [{step: third}]}
  - step: third
    tool: {kind: shell, command: "sleep 0.1; echo 3"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: "{{ second.n + (third.stdout | int) }}"}
`,
  loop: `${heading("loop")}
  - step: each
    loop: {in: "{{ range(6) | list }}", iterator: n, spec: {mode: parallel, max_in_flight: 3}}
    tool: {kind: python, input: {n: "{{ n }}"}, code: "import time; time.sleep(0.1); result = n"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: "{{ each.results | sum }}"}
`,
  parent: `${heading("parent")}
  - step: below
    tool: {kind: playbook, path: loop, return_result: true}
    next: {arcs: [{step: query}]}
  - step: query
    tool: {kind: duckdb, query: "select 42 as answer"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: "{{ query.rows[0].answer }}"}
`,
};
const results: Readonly<Record<string, number>> = { chain: 5, loop: 15, parent: 42 };
const roundsOfAll = 6;

let place: Workplace;
let cluster: Cluster;
let client: ApiClient;

beforeAll(async () => {
  place = workplace();
  cluster = await startCluster({
    controls: 2,
    workers: 2,
    slots: 8,
    program: [...withoutCheckout(place.folder), await builtBinary()],
    workerEnvironment: { NOETL_WORKER_ALLOW_SHELL: "true" },
  });
  // The one that stays alive.
  client = apiClient({ fetch: (request) => fetch(request), baseUrl: cluster.urls[1] ?? "" });
}, binaryTestMs);
afterAll(async () => {
  await cluster.close();
  place.remove();
}, binaryTestMs);

test(
  "every execution ends as it should when a worker and a control plane die among them",
  async () => {
    for (const content of Object.values(playbooks)) {
      await client.registerCatalog({ body: { content } });
    }
    const started: { readonly id: string; readonly path: string }[] = [];
    for (let round = 0; round < roundsOfAll; round++) {
      for (const path of Object.keys(playbooks)) {
        const { execution_id: id } = await client.execute({ body: { path, workload: {} } });
        started.push({ id, path });
      }
    }
    await until(async () => (await ended(started)) > 0);
    await Promise.all([cluster.workers[0]?.kill(), cluster.controls[0]?.kill()]);
    expect(await ended(started)).toBeLessThan(started.length);
    await until(async () => (await ended(started)) === started.length);

    for (const { id, path } of started) {
      const { status, result } = await client.getExecution({ params: { id } });
      expect({ path, status, result }).toEqual({
        path,
        status: "COMPLETED",
        result: results[path],
      });
    }
    const verdict = await runBinary(["verify", "--all", "--server", cluster.urls[1] ?? ""], {
      cwd: place.folder,
    });
    expect(verdict).toMatchObject({ exitCode: 0, err: "" });
    // The sub-playbooks are executions as well.
    expect(verdict.out).toContain(`${started.length + roundsOfAll} executions`);
  },
  binaryTestMs,
);

async function ended(started: readonly { readonly id: string }[]): Promise<number> {
  const found = await Promise.all(started.map(({ id }) => client.getExecution({ params: { id } })));
  return found.filter(({ status }) => status === "COMPLETED" || status === "FAILED").length;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(100);
}
