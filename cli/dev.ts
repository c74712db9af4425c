// `noetl dev`: the whole platform in one process on a database in `.noetl/data`, behind HTTP on
// this machine, until it is told to stop. One for each directory.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mintToken } from "#control/access/token-text";
import { documentation } from "#control/documentation";
import { devKeyFile } from "#control/secrets/key-file";
import type { ApiClient } from "#core/adapters/api-client";
import { type Listening, listen } from "#core/adapters/listen";
import { stopAsked } from "#core/adapters/stop-signals";
import { Fault, messageOf } from "#core/model/fault";
import { type Arguments, UsageError } from "./arguments.ts";
import { guarded } from "./browser-guard.ts";
import { configured, embeddedTools } from "./config.ts";
import { credentialSource } from "./credentials.ts";
import { registerExamples } from "./dev-examples.ts";
import { removeDevFile, runningDev, writeDevFile } from "./dev-file.ts";
import { startEmbedded } from "./embedded.ts";
import { exitOk } from "./exit-codes.ts";
import { lazyScratch } from "./lazy-scratch.ts";
import { type LastingStores, pgliteStores, removeData } from "./pglite-stores.ts";
import { cacheDirectory, isDatabasePrepared, preparedDatabase } from "./prepared-database.ts";
import { version } from "./version.ts";

type Values = ReturnType<typeof configured>;

/**
 * Runs until SIGINT or SIGTERM, which let running tools end within the grace; the second one quits.
 * @returns 0 when it was stopped.
 * @throws UsageError when it can't start as it was asked to.
 */
export async function dev(args: Arguments): Promise<number> {
  const values = configured(environmentOf(args));
  if (values.DATABASE_URL !== undefined) {
    throw new UsageError(
      "DATABASE_URL: noetl dev keeps its log in .noetl/data and can't use another database yet; unset it",
    );
  }
  // Asked for first, so that a signal while it starts stops it as well.
  const asked = stopAsked();
  const started = await startDev(values, args.has("reset"));
  await asked;
  console.log("stopping; running tools may end, once more quits at once");
  await started.stop();
  return exitOk;
}

/** Flags win over the environment. */
function environmentOf(args: Arguments): Record<string, string | undefined> {
  const flags = { NOETL_PORT: "port", NOETL_HOST: "host", NOETL_SLOTS: "slots" } as const;
  const given = Object.entries(flags).map(([name, flag]) => [
    name,
    args.text(flag) ?? process.env[name],
  ]);
  return { ...process.env, ...Object.fromEntries(given) };
}

interface Started {
  stop(): Promise<void>;
}

async function startDev(values: Values, reset: boolean): Promise<Started> {
  const beganMs = performance.now();
  const { NOETL_DIRECTORY: directory, NOETL_HOST: host, NOETL_PORT: port } = values;
  if (!isDatabasePrepared()) console.log("preparing the database, once");
  await preparedDatabase();
  const stores = await openStores(directory, reset);
  const scratch = lazyScratch(join(directory, "pg_local"));
  const report = (message: string): void => console.error(`noetl: ${message}`);
  let listening: Listening | undefined;
  const token = mintToken("session", (text) => Bun.SHA256.hash(text, "hex")).text;
  const embedded = startEmbedded({
    settings: settingsOf(values),
    localToken: token,
    stores,
    credentials: credentialSource({
      file: values.NOETL_CREDENTIALS_FILE,
      scratch: scratch.credential,
      advise: report,
    }),
    policy: { shell: true, fileRoots: [process.cwd()] },
    slots: values.NOETL_SLOTS,
    toolOptions: embeddedTools(values, () => listening?.url),
    report,
    workerLog: { notice: report },
    documentation: documentation(version),
    duties: stores.duties,
  });
  const server = listen(guarded(embedded.fetch), { host, port });
  listening = server;
  const started_at = new Date().toISOString();
  writeDevFile(directory, { pid: process.pid, url: server.url, started_at, version, token });
  greet(server, performance.now() - beganMs);
  const registering = tellExamples(embedded.client);
  return {
    stop: async () => {
      await registering;
      await server.stop();
      await embedded.stop(values.NOETL_STOP_GRACE_MS);
      await scratch.close();
      removeDevFile(directory);
    },
  };
}

/** As they are set, with a key of the directory's own where none is: nothing secret is kept plain. */
function settingsOf(values: Values): Values {
  const { NOETL_MASTER_KEY: key, NOETL_MASTER_KEY_FILE: file, NOETL_DIRECTORY: directory } = values;
  if (key !== undefined || file !== undefined) return values;
  return { ...values, NOETL_MASTER_KEY_FILE: devKeyFile(directory) };
}

/** @throws UsageError naming the process that has the directory, and its address. */
async function openStores(directory: string, reset: boolean): Promise<LastingStores> {
  const data = join(directory, "data");
  try {
    if (reset) {
      removeData(data);
      rmSync(join(directory, "pg_local"), { recursive: true, force: true });
    }
    return await pgliteStores(data, cacheDirectory);
  } catch (thrown) {
    const isTaken = thrown instanceof Fault && thrown.code === "conflict";
    const other = isTaken ? runningDev(directory) : undefined;
    if (other === undefined) throw thrown;
    throw new UsageError(
      `noetl dev already runs in this directory: process ${other.pid} at ${other.url}; stop it first`,
    );
  }
}

function greet({ url }: Listening, tookMs: number): void {
  const command = existsSync("scripts/noetl.ts") ? "bun run noetl" : "noetl";
  const hello = existsSync("examples/hello.yaml");
  const first = hello ? `${command} run examples/hello` : `${command} init hello.yaml`;
  console.log(`noetl dev ${version}, ready in ${Math.round(tookMs)} ms

  API      ${url}/api
  OpenAPI  ${url}/openapi

try, in another terminal: ${first}
`);
}

async function tellExamples(client: ApiClient): Promise<void> {
  try {
    const { count, problems } = await registerExamples(client, process.cwd());
    for (const problem of problems) console.error(`noetl: ${problem}`);
    if (count > 0) console.log(`${count} playbooks of examples/ are in the catalog`);
  } catch (thrown) {
    console.error(`noetl: the examples could not be registered: ${messageOf(thrown)}`);
  }
}
