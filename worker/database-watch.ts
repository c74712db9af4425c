// Notices when the control plane works on another database than it did: a worker that waits for the
// old one to come back would wait for ever, and must not take its outcomes for the new one's. One
// server that still has the old database, or doesn't answer, is reason enough to go on.

import { identityWatchMs, otherDatabaseMs, renewRequestMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import { clusterHeader } from "#core/wire/headers";

type Fetch = (request: Request) => Promise<Response>;

export interface DatabaseWatchOptions {
  /** Every address that the worker was given. */
  readonly servers: readonly string[];
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** How long all of them must name another database; `otherDatabaseMs` without it. */
  readonly patienceMs?: number | undefined;
}

export interface DatabaseWatch {
  /** The worker's way to its servers, which reads the name of the database off each reply. */
  readonly fetch: Fetch;
  /** Resolves with the reason when every server has named another database for so long. */
  readonly replaced: Promise<string>;
  stop(): void;
}

export function watchDatabase(options: DatabaseWatchOptions): DatabaseWatch {
  const { servers, clock, patienceMs = otherDatabaseMs } = options;
  const stopped = new AbortController();
  const replaced = Promise.withResolvers<string>();
  let known: string | undefined;
  let isLooking = false;

  const askedAll = (): Promise<readonly (string | undefined)[]> =>
    Promise.all(servers.map((server) => clusterAt(server, options.fetch)));

  /** Asks all servers now and then, as long as none of them names the old database. */
  const look = async (): Promise<void> => {
    const sinceMs = clock.nowMs();
    while (!stopped.signal.aborted) {
      const found = await askedAll();
      if (found.some((cluster) => cluster === undefined || cluster === known)) return;
      if (clock.nowMs() - sinceMs >= patienceMs) {
        const others = [...new Set(found)].join(", ");
        replaced.resolve(`expected the database of cluster ${known}, every server has ${others}`);
        return;
      }
      await clock.sleep(Math.min(identityWatchMs, patienceMs), stopped.signal);
    }
  };

  const heard = (cluster: string | null): void => {
    if (cluster === null) return;
    known ??= cluster;
    if (cluster === known || isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  };

  return {
    fetch: async (request) => {
      const response = await options.fetch(request);
      heard(response.headers.get(clusterHeader));
      return response;
    },
    replaced: replaced.promise,
    stop: () => stopped.abort(),
  };
}

/** The database that a server names; undefined when it gives no answer, or names none. */
async function clusterAt(server: string, fetch: Fetch): Promise<string | undefined> {
  const request = new Request(`${server.replace(/\/+$/, "")}/api/health`, {
    signal: AbortSignal.timeout(renewRequestMs),
  });
  try {
    return (await fetch(request)).headers.get(clusterHeader) ?? undefined;
  } catch {
    return undefined;
  }
}
