// Container steps on the whole embedded product: the job is posted to a stand-in for a cluster, and
// its program reports over the route that it was told of.

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import { eventually } from "#tests/support/control";
import { type House, startHouse } from "#tests/support/embedded";
import { startCluster } from "#tests/tools/cluster-server";

const folder = mkdtempSync(join(tmpdir(), "noetl-container-"));
const tokenFile = join(folder, "token");
writeFileSync(tokenFile, "t0ken");
const cluster = startCluster("t0ken");
let house: House;

beforeAll(async () => {
  const callbackUrl = () => "http://control.example";
  const kubernetes = { url: cluster.url, tokenFile, namespace: "jobs", callbackUrl };
  const container = { runtime: "kubernetes", kubernetes } as const;
  house = await startHouse({ slots: 1, toolOptions: { run: { container } } });
});
afterEach(() => {
  cluster.instead(undefined);
  cluster.jobs.clear();
});
afterAll(async () => {
  await house.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const playbook = (name: string, steps: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}, path: ${name}}\nworkflow:\n${steps}`;

const job = (fields = ""): string => `
- step: start
  tool: {kind: container, image: etl, args: ["--day", "{{ day }}"]${fields}}
  next:
    arcs:
    - {step: broken, when: "{{ event.name == 'call.error' }}"}
    - {step: end, when: "{{ event.name == 'call.done' }}"}
- step: end
  tool: {kind: noop, result: "{{ start }}"}
- step: broken
  tool: {kind: noop, result: ["{{ start.error.kind }}", "{{ start.error.code }}"]}
`;

let count = 0;

async function begun(fields = ""): Promise<ExecutionId> {
  const path = `jobs/${++count}`;
  await house.register(playbook(path, job(fields)));
  return house.start(path, { day: 7 });
}

interface Posted {
  readonly args: Json;
  /** Where the job was told to report to. */
  readonly callback: string;
}

/** The job in the cluster, once there is one. */
const posted = (): Promise<Posted> =>
  eventually(async () => {
    const [found] = [...cluster.jobs.values()];
    return found === undefined ? undefined : postedOf(found);
  });

function postedOf(found: JsonObject): Posted {
  // As the tool made it; tests/tools/container.test.ts looks at every field.
  const { spec } = found as { spec: { template: { spec: { containers: JsonObject[] } } } };
  const [container = {}] = spec.template.spec.containers;
  const env = container.env as readonly { readonly name: string; readonly value: string }[];
  const callback = env.find(({ name }) => name === "NOETL_CALLBACK_URL")?.value ?? "";
  return { args: container.args ?? null, callback };
}

async function report(callback: string, body: JsonObject): Promise<JsonObject> {
  const headers = { "content-type": "application/json" };
  const request = new Request(callback, { method: "POST", headers, body: JSON.stringify(body) });
  const response = await house.embedded.fetch(request);
  expect(response.status).toBe(200);
  return (await response.json()) as JsonObject;
}

const isParked = (id: ExecutionId): Promise<true> =>
  eventually(async () => {
    const events = await house.stores.log.events(id, 0, 1_000);
    return events.some(({ event }) => event.type === "wait.parked") ? true : undefined;
  });

test("a job holds no slot, and its report is the step's result", async () => {
  const id = await begun();
  const { args, callback } = await posted();
  await isParked(id);
  expect(args).toEqual(["--day", "7"]);

  // The house has one slot.
  await house.register(playbook("other", "\n- step: start\n  tool: {kind: noop, result: 1}\n"));
  expect((await house.run("other")).result).toBe(1);

  await report(callback, { state: "succeeded", exit_code: 0, rows: 12 });
  const ended = await house.ended(id);
  expect([ended.status, ended.result]).toEqual([
    "completed",
    expect.objectContaining({ state: "succeeded", rows: 12 }),
  ]);
});

test("a job that reports before its call is parked loses nothing", async () => {
  cluster.instead(() => {
    const last = cluster.seen.at(-1)?.body ?? {};
    const { callback } = postedOf(last);
    const metadata = { ...(last.metadata as JsonObject), uid: "quick" };
    return report(callback, { state: "succeeded", rows: 1 }).then(() =>
      Response.json({ ...last, metadata }, { status: 201 }),
    );
  });
  const ended = await house.ended(await begun());
  expect([ended.status, ended.result]).toEqual(["completed", expect.objectContaining({ rows: 1 })]);
});

test("a second report changes nothing", async () => {
  const id = await begun();
  const { callback } = await posted();
  await isParked(id);
  const [first, second] = await Promise.all([
    report(callback, { state: "succeeded", rows: 1 }),
    report(callback, { state: "failed", exit_code: 1 }),
  ]);
  const ended = await house.ended(id);
  expect(ended.status).toBe("completed");
  expect([first.status, second.status].filter((status) => status === "accepted")).toHaveLength(1);
  await report(callback, { state: "failed", exit_code: 1 });
  expect((await house.ended(id)).status).toBe("completed");
});

test("a loop has a job for each item, and each report is of its own", async () => {
  const steps = `
- step: start
  loop: {in: [1, 2, 3], iterator: day, spec: {mode: parallel}}
  tool: {kind: container, image: etl, args: ["{{ day }}"]}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ start.results | map(attribute='day') | list }}"}
`;
  await house.register(playbook("jobs/loop", steps));
  const id = await house.start("jobs/loop");
  const jobs = await eventually(async () =>
    cluster.jobs.size === 3 ? [...cluster.jobs.values()].map(postedOf) : undefined,
  );
  for (const { args, callback } of jobs.reverse()) {
    await report(callback, { state: "succeeded", day: args });
  }
  const ended = await house.ended(id);
  expect([ended.status, ended.result]).toEqual(["completed", [["1"], ["2"], ["3"]]]);
});

test("a job that failed is an error that arcs see, with its exit code", async () => {
  const id = await begun();
  const { callback } = await posted();
  await report(callback, { state: "failed", exit_code: 3, reason: "Error" });
  expect((await house.ended(id)).result).toEqual(["container", 3]);
});

test("a job that never reports ends with the step's timeout", async () => {
  const ended = await house.ended(await begun(", timeout_seconds: 0.3"));
  expect(ended.result).toEqual(["timeout", null]);
});

test("a job that can't be made is an error of the step", async () => {
  const ended = await house.ended(await begun(", namespace: closed"));
  expect(ended.result).toEqual(["container", 403]);
});
