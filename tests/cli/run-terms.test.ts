// `noetl run` on a server: what it is told of the run's place in line arrives there.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { type ControlServer, controlServer } from "#tests/worker/control-server";
import { noetl, type Workplace, workplace } from "./noetl.ts";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: plain, path: t/plain}
workflow: [{step: start, tool: {kind: noop}}]
`;

let server: ControlServer;
let place: Workplace;
beforeAll(() => {
  server = controlServer();
  place = workplace({ "plain.yaml": playbook });
});
afterAll(async () => {
  await server.close();
  place.remove();
});

test("a file or a path with --priority and --tenant starts an execution that has them", async () => {
  await server.client.registerCatalog({ body: { content: playbook, tenant: "acme" } });
  const worker = handWorker(server.client);
  for (const reference of ["plain.yaml", "t/plain"]) {
    const terms = ["--priority", "7", "--tenant", "acme"];
    const argv = ["run", reference, "--server", server.url, "--json", ...terms];
    const running = noetl(argv, { cwd: place.folder });
    await eventually(async () => ((await worker.drain()) > 0 ? true : undefined));
    const { exitCode, out } = await running;
    const { execution_id: id } = JSON.parse(out) as { execution_id: string };
    const [first, , issued] = await server.events(id as Parameters<ControlServer["events"]>[0]);
    expect(exitCode).toBe(0);
    expect(first).toMatchObject({ type: "playbook.started", priority: 7, tenant: "acme" });
    expect(issued).toMatchObject({ type: "command.issued" });
  }
}, 30_000);
