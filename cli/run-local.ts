// A run in this process: the control services and the worker on stores in memory, with every
// accepted event copied to `.noetl/runs/<execution_id>.jsonl`.

import { dirname, join, resolve } from "node:path";
import { systemClock } from "#core/adapters/system-clock";
import { messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { lazyScratch } from "./lazy-scratch.ts";
import type { PlaybookFile } from "./playbook-files.ts";
import { catalogPath } from "./playbook-files.ts";
import type { RunHost, RunListener } from "./run-host.ts";

/** Tools that were told to stop get this long; a run that has ended has none. */
const stopGraceMs = 0;

/** @param files the last one is the one to run. */
export async function localHost(files: readonly PlaybookFile[]): Promise<RunHost> {
  const [{ startEmbedded }, { memoryStores }, { withRunLog, runLogFile }, config] =
    await Promise.all([
      import("./embedded.ts"),
      import("#core/adapters/memory-stores"),
      import("#core/adapters/run-log"),
      import("./config.ts"),
    ]);
  const { configured, embeddedTools } = config;
  const { credentialSource } = await import("./credentials.ts");
  const { localSource } = await import("./run-source.ts");
  const values = configured();
  let listener: RunListener | undefined;
  const notice = (text: string): void => listener?.notice(text);
  const scratch = lazyScratch();
  const runs = join(values.NOETL_DIRECTORY, "runs");
  const stores = memoryStores(systemClock());
  const log = withRunLog(stores.log, {
    directory: runs,
    onError: (thrown) => notice(`the log can't be written to ${runs}: ${messageOf(thrown)}`),
  });
  const embedded = startEmbedded({
    stores: { ...stores, log },
    credentials: credentialSource({
      file: values.NOETL_CREDENTIALS_FILE,
      scratch: scratch.credential,
      advise: notice,
    }),
    policy: { shell: true, fileRoots: [...new Set(files.map(folderOf)), process.cwd()] },
    slots: values.NOETL_SLOTS,
    toolOptions: embeddedTools(values),
    report: notice,
    // Nobody can ask for them later; the view is shown them as they come.
    keepsStepLogs: false,
    workerLog: {
      line: ({ command, stream, text }) => listener?.output({ step: command.step, stream, text }),
      retry: ({ command, attempt, delayMs, message }) => {
        const { step, iteration } = command;
        listener?.retry({ step, iteration: iteration?.index, attempt, delayMs, message });
      },
      notice,
    },
  });
  const { client, bus } = embedded;
  const source = localSource(log, bus);
  return {
    source,
    untilChildrenEnd: true,
    listen: (to) => {
      listener = to;
    },
    start: async ({ workload, ...terms }) => {
      let path = "";
      const ofTenant = terms.tenant === undefined ? {} : { tenant: terms.tenant };
      for (const { content, document } of files) {
        path = catalogPath(document);
        await client.registerCatalog({ body: { content, path, ...ofTenant } });
      }
      const body = { path, workload: { ...workload }, ...terms };
      const started = await client.execute({ body });
      return started.execution_id as ExecutionId;
    },
    heard: async () => {},
    cancel: async (id) => {
      await client.cancelExecution({ params: { id }, body: { reason: "interrupted" } });
    },
    resolve: async ({ ref }) => (await client.resolveResult({ query: { ref } })) as Json,
    logFile: (id) => runLogFile(runs, id),
    close: async () => {
      source.close();
      await embedded.stop(stopGraceMs);
      await scratch.close();
    },
  };
}

function folderOf({ file }: PlaybookFile): string {
  return resolve(dirname(file));
}
