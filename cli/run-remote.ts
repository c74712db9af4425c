// A run on a control plane that is reached over the network, or on the running `noetl dev`.

import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { catalogPath, type PlaybookFile } from "./playbook-files.ts";
import type { RunHost } from "./run-host.ts";
import { remoteSource } from "./run-source.ts";
import type { Server } from "./server.ts";

export type RemotePlaybook =
  /** Registered first; the last one is the one to run. */
  { readonly files: readonly PlaybookFile[] } | { readonly path: string };

export function remoteHost({ client }: Server, playbook: RemotePlaybook): RunHost {
  const register = async (files: readonly PlaybookFile[]): Promise<string> => {
    let path = "";
    for (const { content, document } of files) {
      path = catalogPath(document);
      await client.registerCatalog({ body: { content, path } });
    }
    return path;
  };
  return {
    source: remoteSource(client),
    untilChildrenEnd: false,
    listen: () => {},
    start: async (input) => {
      const path = "path" in playbook ? playbook.path : await register(playbook.files);
      const { execution_id } = await client.execute({ body: { path, workload: { ...input } } });
      return execution_id as ExecutionId;
    },
    cancel: async (id) => {
      await client.cancelExecution({ params: { id }, body: { reason: "interrupted" } });
    },
    resolve: async ({ ref }) => (await client.resolveResult({ query: { ref } })) as Json,
    logFile: () => undefined,
    close: async () => {},
  };
}
