// A run on a control plane that is reached over the network, or on the running `noetl dev`.

import { messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { followLogs } from "./log-stream.ts";
import { catalogPath, type PlaybookFile } from "./playbook-files.ts";
import type { RunHost, RunListener } from "./run-host.ts";
import { remoteSource } from "./run-source.ts";
import type { Server } from "./server.ts";

export type RemotePlaybook =
  /** Registered first; the last one is the one to run. */
  { readonly files: readonly PlaybookFile[] } | { readonly path: string };

/** Lines come within a second or two after the end; a server that is silent then has none. */
const lastLinesMs = 5_000;

export interface RemoteTerms {
  /** Whether the listener is told what tools print, on whichever worker. */
  readonly verbose: boolean;
  /** Of a path in the catalog: this one instead of the newest. */
  readonly version?: number;
  /** What this key has started before is followed instead. */
  readonly dedup?: { readonly key: string };
}

export function remoteHost(
  { client, url, fetch, tenant: ownTenant }: Server,
  playbook: RemotePlaybook,
  { verbose, ...once }: RemoteTerms,
): RunHost {
  let listener: RunListener | undefined;
  const lines = printedLines({ url, fetch }, () => listener);
  const source = remoteSource(client);
  const register = async (files: readonly PlaybookFile[], tenant?: string): Promise<string> => {
    let path = "";
    for (const { content, document } of files) {
      path = catalogPath(document);
      await client.registerCatalog({
        body: { content, path, ...(tenant === undefined ? {} : { tenant }) },
      });
    }
    return path;
  };
  return {
    source: {
      ...source,
      // Whoever is followed is listened to: sub-playbooks as soon as the log names them.
      read: (id, afterSeq) => {
        if (verbose) lines.follow(id);
        return source.read(id, afterSeq);
      },
    },
    untilChildrenEnd: false,
    listen: (to) => {
      listener = to;
    },
    heard: () => lines.heard(),
    start: async ({ workload, ...asked }) => {
      const terms = ownTenant === undefined ? asked : { tenant: ownTenant, ...asked };
      const path =
        "path" in playbook ? playbook.path : await register(playbook.files, terms.tenant);
      const body = { path, workload: { ...workload }, ...terms, ...once };
      const { execution_id } = await client.execute({ body });
      return execution_id as ExecutionId;
    },
    cancel: async (id) => {
      await client.cancelExecution({ params: { id }, body: { reason: "interrupted" } });
    },
    resolve: async ({ ref }) => (await client.resolveResult({ query: { ref } })) as Json,
    logFile: () => undefined,
    close: async () => lines.close(),
  };
}

interface PrintedLines {
  /** Listens to an execution, once. */
  follow(id: ExecutionId): void;
  heard(): Promise<void>;
  close(): void;
}

function printedLines(
  { url: baseUrl, fetch }: Pick<Server, "url" | "fetch">,
  listener: () => RunListener | undefined,
): PrintedLines {
  const following = new Map<ExecutionId, Promise<void>>();
  const closing = new AbortController();
  return {
    follow: (executionId) => {
      if (following.has(executionId)) return;
      const done = followLogs({
        baseUrl,
        fetch,
        executionId,
        signal: closing.signal,
        onLine: ({ step, stream, text }) => listener()?.output({ step, stream, text }),
      }).catch((thrown: unknown) => {
        listener()?.notice(`what tools print can't be shown: ${messageOf(thrown)}`);
      });
      following.set(executionId, done);
    },
    heard: async () => {
      if (following.size === 0) return;
      await Promise.race([Promise.all(following.values()), Bun.sleep(lastLinesMs)]);
    },
    close: () => closing.abort(),
  };
}
