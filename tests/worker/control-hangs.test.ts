// Proves that a worker whose control plane takes requests and never answers keeps what it has to
// report, and reports it when answers come again.

import { expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { systemClock } from "#core/adapters/system-clock";
import { until } from "#tests/support/virtual-clock";
import { instant, work } from "#tests/worker/running-worker";
import { startWorker } from "#worker/loop";
import { givenTools } from "#worker/registry";

test("an outcome whose request hangs is reported by a later one", async () => {
  let claims = 0;
  let settles = 0;
  const reported: unknown[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    const isSettle = request.url.endsWith("/settle");
    if (!isSettle) return Response.json({ commands: claims++ === 0 ? [work("a")] : [] });
    settles += 1;
    if (settles === 1) return new Promise(() => {});
    const { outcomes } = (await request.json()) as { readonly outcomes: readonly unknown[] };
    reported.push(...outcomes);
    return Response.json({ verdicts: outcomes.map(() => "accepted"), commands: [] });
  };
  const worker = startWorker({
    control: httpControl(apiClient({ fetch, baseUrl: "http://control" }), { requestMs: 20 }),
    clock: systemClock(),
    tools: givenTools([instant]),
    workerId: "worker-1",
    pools: ["default"],
    slots: 1,
    policy: { shell: false, fileRoots: [] },
  });
  await until(() => reported.length > 0);
  await worker.stop({ graceMs: 0 });

  expect(reported).toMatchObject([{ command_id: work("a").command_id, output: { status: "ok" } }]);
  expect(settles).toBe(2);
});
