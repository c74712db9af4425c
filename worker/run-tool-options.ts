// From an operator's settings to what the tools that run something elsewhere are told; the same for
// a worker as a process of its own and for the embedded one.

import type { RunToolOptions } from "#worker/tools/run-tools";
import type { RunToolSettings } from "./config.ts";

export interface RunToolHost {
  /**
   * The control plane as this worker reaches it; containers do too, unless a setting says else.
   * Without it nothing outside of this process can reach one. Asked when a container is begun.
   */
  readonly serverUrl?: () => string | undefined;
  readonly version: string;
}

export function runToolOptions(
  settings: RunToolSettings,
  { serverUrl, version }: RunToolHost,
): RunToolOptions {
  const {
    NOETL_MCP_SERVERS: servers,
    NOETL_MCP_URL: url,
    NOETL_CONTAINER_RUNTIME: runtime,
    NOETL_CALLBACK_URL: toldUrl,
    NOETL_KUBERNETES_URL: cluster,
    NOETL_KUBERNETES_TOKEN_FILE: tokenFile,
    NOETL_KUBERNETES_CA_FILE: caFile,
    NOETL_KUBERNETES_NAMESPACE: namespace,
  } = settings;
  const callbackUrl = serverUrl === undefined ? undefined : () => toldUrl ?? serverUrl();
  return {
    mcp: { version, ...given({ servers, url }) },
    container: {
      runtime,
      kubernetes: given({ url: cluster, tokenFile, caFile, namespace, callbackUrl }),
    },
  };
}

/** Without what is undefined: an option that is there holds. */
function given<Options extends Readonly<Record<string, unknown>>>(
  options: Options,
): { readonly [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  // What is left has the types of what was there.
  return Object.fromEntries(present) as {
    readonly [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}
