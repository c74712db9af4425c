// One connection to NATS, for as long as it is wanted: made in the background, and made anew with
// growing pauses whenever it is lost. Each connection is a fresh one: what lived on the old one
// (subscriptions, fetches) is put on the new one by those who asked to be told of it.

import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node";
import {
  busConnectMs,
  busPingMs,
  busRequestMs,
  busRetryMs,
  busRetryMsMax,
} from "#core/model/bus-limits";
import { messageOf } from "#core/model/fault";
import { type NatsServers, natsServers } from "./nats-servers.ts";

export interface NatsLinkOptions {
  /** As NATS_URL has it: several with commas between them, with credentials. */
  readonly servers: string;
  /** Shown by the server in its list of connections. */
  readonly name: string;
  /** Certificates to trust in place of the system's own; the line is then encrypted. */
  readonly caFile?: string;
  /** Told when the connection is made, lost or refused; never with a password. */
  readonly onNotice?: (message: string) => void;
}

export interface LinkStatus {
  readonly state: "connected" | "connecting" | "closed";
  readonly reason?: string;
  readonly server?: string;
}

export interface NatsLink {
  /** Undefined while there is none. */
  connection(): NatsConnection | undefined;
  /** Runs for the connection there is and for each later one; the result ends that. */
  onConnected(run: (connection: NatsConnection) => void): () => void;
  status(): LinkStatus;
  notice(message: string): void;
  close(): Promise<void>;
}

/** Returns at once. @throws Fault `invalid` for servers that can't be any. */
export function natsLink(options: NatsLinkOptions): NatsLink {
  const servers = natsServers(options.servers);
  const listeners = new Set<(connection: NatsConnection) => void>();
  const ending = new AbortController();
  let current: NatsConnection | undefined;
  let reason: string | undefined = "not connected yet";
  let told = "";

  const notice = (message: string): void => {
    // A server that is away for an hour is one line, not thousands.
    if (message === told) return;
    told = message;
    options.onNotice?.(message);
  };

  const serve = async (connection: NatsConnection): Promise<void> => {
    current = connection;
    reason = undefined;
    notice(`connected to NATS at ${connection.getServer()}`);
    void noticeErrors(connection, notice);
    for (const run of [...listeners]) run(connection);
    const why = await connection.closed();
    current = undefined;
    reason = `connection to ${connection.getServer()} lost${why instanceof Error ? `: ${why.message}` : ""}`;
  };

  const keep = async (): Promise<void> => {
    let failures = 0;
    while (!ending.signal.aborted) {
      try {
        const connection = await connect(connectionOptions(servers, options));
        failures = 0;
        if (ending.signal.aborted) await connection.close();
        else await serve(connection);
      } catch (thrown) {
        failures += 1;
        reason = `no connection to ${servers.servers.join(", ")}: ${messageOf(thrown)}`;
      }
      if (ending.signal.aborted) return;
      notice(reason ?? "");
      await pause(retryMs(failures), ending.signal);
    }
  };
  const kept = keep();

  return {
    connection: () => current,
    onConnected: (run) => {
      listeners.add(run);
      if (current !== undefined) run(current);
      return () => void listeners.delete(run);
    },
    status: () => ({
      state: ending.signal.aborted ? "closed" : current === undefined ? "connecting" : "connected",
      ...(reason === undefined ? {} : { reason }),
      ...(current === undefined ? {} : { server: current.getServer() }),
    }),
    notice,
    close: async () => {
      if (!ending.signal.aborted && current !== undefined) await flushed(current);
      ending.abort();
      listeners.clear();
      await current?.close();
      await kept;
    },
  };
}

function connectionOptions(servers: NatsServers, options: NatsLinkOptions): ConnectionOptions {
  const { credentials, isEncrypted } = servers;
  const { caFile } = options;
  return {
    servers: [...servers.servers],
    name: options.name,
    // A connection that is lost is not repaired but made anew, by `keep`.
    reconnect: false,
    timeout: busConnectMs,
    pingInterval: busPingMs,
    maxPingOut: 2,
    // Traces of where each request was made cost more than the requests.
    noAsyncTraces: true,
    ...(credentials?.kind === "token" ? { token: credentials.token } : {}),
    ...(credentials?.kind === "password"
      ? { user: credentials.user, pass: credentials.password }
      : {}),
    ...(caFile === undefined ? {} : { tls: { caFile } }),
    ...(caFile === undefined && isEncrypted ? { tls: {} } : {}),
  };
}

async function noticeErrors(
  connection: NatsConnection,
  notice: (message: string) => void,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "error") notice(`NATS: ${status.error.message}`);
  }
}

/** What was published reaches the server before the connection is closed, if it takes it in time. */
async function flushed(connection: NatsConnection): Promise<void> {
  const patience = new AbortController();
  const isFlushed = connection.flush().then(
    () => patience.abort(),
    () => patience.abort(),
  );
  await pause(busRequestMs, patience.signal);
  void isFlushed;
}

/** Grows with each failure; half of it is chance, so that clients do not come back all at once. */
export function retryMs(failures: number): number {
  return spreadMs(Math.min(busRetryMs * 2 ** Math.min(failures, 16), busRetryMsMax));
}

/** Between half of it and all of it. */
export function spreadMs(longestMs: number): number {
  return longestMs * (0.5 + Math.random() / 2);
}

/** Ends early when the signal aborts. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener("abort", end, { once: true });
  });
}
