// What `bun run dev:distributed` does once everything it needs is installed.

import { resolve } from "node:path";
import { registerExamples } from "#cli/dev-examples";
import { removeDevFile, runningDev, writeDevFile } from "#cli/dev-file";
import { serverAt } from "#cli/server";
import { version } from "#cli/version";
import { devKeyFile } from "#control/secrets/key-file";
import { stopAsked } from "#core/adapters/stop-signals";
import { startCluster } from "./cluster.ts";

const directory = ".noetl";

/** Runs until SIGINT or SIGTERM. @returns 0 when it was stopped, 1 when something runs already. */
export async function runDistributed(port: number): Promise<number> {
  const other = runningDev(directory);
  if (other !== undefined) {
    console.error(`noetl runs in this directory already: process ${other.pid} at ${other.url}`);
    return 1;
  }
  const asked = stopAsked();
  const beganMs = performance.now();
  const cluster = await startCluster({
    controls: 2,
    workers: 2,
    slots: 32,
    port,
    credential: "pg_local",
    controlEnvironment: { NOETL_MASTER_KEY_FILE: resolve(devKeyFile(directory)) },
    workerEnvironment: { NOETL_WORKER_ALLOW_SHELL: "true", NOETL_WORKER_FILE_ROOTS: process.cwd() },
    onLine: (member, line) => console.log(`${member} | ${line}`),
  });
  const [url = ""] = cluster.urls;
  try {
    const started_at = new Date().toISOString();
    writeDevFile(directory, { pid: process.pid, url, started_at, version });
    greet(cluster.urls, performance.now() - beganMs);
    const { count, problems } = await registerExamples(serverAt(url).client, process.cwd());
    for (const problem of problems) console.error(problem);
    console.log(`${count} playbooks of examples/ are in the catalog`);
    await asked;
    console.log("stopping; running tools may end, once more quits at once");
  } finally {
    await cluster.close();
    removeDevFile(directory);
  }
  return 0;
}

function greet(urls: readonly string[], tookMs: number): void {
  const [first = ""] = urls;
  console.log(`noetl distributed ${version}, ready in ${Math.round(tookMs)} ms

  API      ${urls.map((url) => `${url}/api`).join("  ")}
  OpenAPI  ${first}/openapi

try, in another terminal: bun run noetl run examples/hello
`);
}
