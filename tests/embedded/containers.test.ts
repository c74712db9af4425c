// Containers as a user of one process has them: `noetl dev` is told of by its own address, and
// `noetl run`, which nobody can reach, says so.

import { afterAll, expect, test } from "bun:test";
import { noetl, startNoetl, workplace } from "#tests/cli/noetl";
import { eventually } from "#tests/support/control";
import { startCluster } from "#tests/tools/cluster-server";

const cluster = startCluster("t0ken");
const place = workplace({
  token: "t0ken",
  "job.yaml": `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: job, path: job}
workflow:
  - step: start
    tool: {kind: container, image: etl}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: "{{ start.rows }}"}
`,
});
const env = {
  NOETL_CONTAINER_RUNTIME: "kubernetes",
  NOETL_KUBERNETES_URL: cluster.url,
  NOETL_KUBERNETES_TOKEN_FILE: place.path("token"),
};
const cwd = place.folder;

afterAll(async () => {
  await cluster.stop();
  place.remove();
});

/** The address that the newest job was told of. */
function callback(): string {
  const [, address = ""] =
    /"name":"NOETL_CALLBACK_URL","value":"([^"]+)"/.exec(
      JSON.stringify(cluster.seen.at(-1)?.body ?? {}),
    ) ?? [];
  return address;
}

test("noetl dev runs a job, which reports to the address that dev listens on", async () => {
  const dev = startNoetl(["dev", "--port", "0"], { cwd, env });
  try {
    await dev.says(/API +http/);
    const [, url = ""] = /API +(http:\S+)\/api\n/.exec(dev.out()) ?? [];
    const run = noetl(["run", "job.yaml", "--server", url], { cwd });
    const address = await eventually(async () => (callback() === "" ? undefined : callback()));
    expect(address).toStartWith(`${url}/api/internal/container-callback/`);
    const body = JSON.stringify({ state: "succeeded", rows: 12 });
    const headers = { "content-type": "application/json" };
    expect((await fetch(address, { method: "POST", headers, body })).status).toBe(200);
    const { exitCode, out } = await run;
    expect([exitCode, out]).toEqual([0, expect.stringContaining("result: 12")]);
  } finally {
    dev.signal("SIGTERM");
    await dev.ended;
  }
}, 60_000);

test("noetl run makes no job that could report to nobody", async () => {
  cluster.seen.length = 0;
  const elsewhere = { ...env, NOETL_CALLBACK_URL: "http://control.example" };
  const { exitCode, out } = await noetl(["run", "job.yaml"], { cwd, env: elsewhere });
  expect(exitCode).toBe(1);
  expect(out).toContain("expected a control plane that containers can reach");
  expect(cluster.seen).toEqual([]);
}, 60_000);
