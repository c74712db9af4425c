// Which control plane a command talks to: the one that was named, or the running `noetl dev` of
// the working directory.

import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { Fault } from "#core/model/fault";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { configured } from "./config.ts";
import { runningDev } from "./dev-file.ts";

export interface Server {
  readonly url: string;
  readonly client: ApiClient;
}

const healthTimeoutMs = 2_000;

/** `--server`, else NOETL_SERVER_URL, else a running `noetl dev` that answers. */
export async function findServer(args: Arguments): Promise<Server | undefined> {
  const values = configured();
  const named = args.text("server") ?? values.NOETL_SERVER_URL;
  if (named !== undefined) return serverAt(named);
  const dev = runningDev(values.NOETL_DIRECTORY);
  if (dev === undefined) return undefined;
  const server = serverAt(dev.url);
  return (await answers(server)) ? server : undefined;
}

/** @throws UsageError when there is none to talk to. */
export async function neededServer(args: Arguments): Promise<Server> {
  const server = await findServer(args);
  if (server !== undefined) return server;
  throw new UsageError(
    "no control plane: expected --server URL, NOETL_SERVER_URL, or a running `noetl dev` in this directory",
  );
}

/**
 * @param token who asks, for a control plane that wants to know.
 * @throws UsageError for text that isn't an address.
 */
export function serverAt(text: string, token?: string): Server {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError(
      `--server: expected an http or https address, found ${JSON.stringify(text)}`,
    );
  }
  const url = text.replace(/\/+$/, "");
  const headers = token === undefined ? {} : { headers: () => bearer(token) };
  return {
    url,
    client: apiClient({ fetch: (request) => fetch(request), baseUrl: url, ...headers }),
  };
}

/** @throws UsageError for text that no header can carry; what refuses it later would quote it. */
function bearer(token: string): Readonly<Record<string, string>> {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError("expected a token of visible ASCII characters without spaces");
  }
  return { authorization: `Bearer ${token}` };
}

/** Whether the control plane says that it is well. */
export async function answers({ client }: Server): Promise<boolean> {
  try {
    const { status } = await client.health(undefined, AbortSignal.timeout(healthTimeoutMs));
    return status === "ok";
  } catch (thrown) {
    if (thrown instanceof Fault) return false;
    throw thrown;
  }
}
