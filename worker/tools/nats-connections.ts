// Connections to NATS for tools: where a call connects to, and a few warm connections, one for each
// target. A connection that was lost is not repaired but made anew for the next call.

import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node";

import { natsConnectionsMax, natsConnectMs, natsIdleMs } from "#core/model/data-tool-limits";
import type { JsonObject } from "#core/model/json";
import { configFailure, scalarText } from "./call-config.ts";
import { type CredentialUse, mergedCredential } from "./data-credential.ts";
import type { ToolContext } from "./tool.ts";

export interface NatsTarget {
  /** `host:port` of each server, fit to be shown. */
  readonly servers: readonly string[];
  readonly isEncrypted: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

export interface NatsLease {
  readonly connection: NatsConnection;
  /** Gives it back; one that does not answer is closed instead, so that nobody meets it again. */
  release(options?: { readonly discard: boolean }): void;
}

export interface NatsConnections {
  /** @throws what the client throws when no server can be reached or none lets us in. */
  lease(target: NatsTarget): Promise<NatsLease>;
  close(): Promise<void>;
}

const use: CredentialUse = {
  tool: "nats",
  types: ["nats"],
  fields: ["url", "user", "password", "token"],
  names: {
    nats_url: "url",
    nats_user: "user",
    nats_password: "password",
    nats_token: "token",
    servers: "url",
    username: "user",
    pass: "password",
  },
  secret: ["password", "token"],
};

/**
 * The target of a call with its credential merged in (language reference §6), and the values that
 * no text may repeat. User, password and token may also stand in the url.
 * @throws ToolFailure of kind `config` for an address that is none; it never shows the address.
 */
export async function natsTarget(
  config: JsonObject,
  context: ToolContext,
): Promise<{ readonly target: NatsTarget; readonly secrets: readonly string[] }> {
  const merged = await mergedCredential(use, config, context);
  const fields = merged.config;
  const url = scalarText(fields["url"]);
  if (url === undefined) throw configFailure("url: expected the address of NATS, found nothing");
  const servers = url.split(",").map(serverOf);
  const login = servers.find(({ user }) => user !== "") ?? servers[0];
  // A name without a password is a token, as everywhere in NATS.
  const isToken = login !== undefined && login.user !== "" && login.password === "";
  const user = scalarText(fields["user"]) ?? (isToken ? "" : (login?.user ?? ""));
  const password = scalarText(fields["password"]) ?? login?.password ?? "";
  const token = scalarText(fields["token"]) ?? (isToken ? login.user : "");
  const target: NatsTarget = {
    servers: servers.map(({ server }) => server),
    isEncrypted: servers.some(({ isEncrypted }) => isEncrypted),
    ...(user === "" ? {} : { user, password }),
    ...(token === "" || user !== "" ? {} : { token }),
  };
  const secrets = [...merged.secrets, password, token].filter((secret) => secret !== "");
  return { target, secrets };
}

function serverOf(part: string) {
  const text = part.trim();
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url === null || url.hostname === "" || !["nats:", "tls:"].includes(url.protocol)) {
    throw configFailure("url: expected nats://host:4222 or tls://host:4222, several with commas");
  }
  return {
    server: `${url.hostname}:${url.port === "" ? 4_222 : url.port}`,
    isEncrypted: url.protocol === "tls:",
    user: decoded(url.username),
    password: decoded(url.password),
  };
}

/** A bare percent sign in a password is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// --- connections --------------------------------------------------------------------------

interface Entry {
  readonly opened: Promise<NatsConnection>;
  users: number;
  idle?: ReturnType<typeof setTimeout>;
}

function ended(entry: Entry): void {
  clearTimeout(entry.idle);
  void entry.opened.then((connection) => connection.close()).catch(() => undefined);
}

/** Keeps at most `natsConnectionsMax` connections that nobody uses, for `natsIdleMs` each. */
export function natsConnections(): NatsConnections {
  const entries = new Map<string, Entry>();

  const drop = (key: string, entry: Entry): void => {
    if (entries.get(key) === entry) entries.delete(key);
    // Others may be in the middle of something: the last one to give it back ends it.
    if (entry.users === 0) ended(entry);
  };
  const evict = (): void => {
    for (const [key, entry] of entries) {
      if (entries.size <= natsConnectionsMax) return;
      if (entry.users === 0) drop(key, entry);
    }
  };
  const entryOf = (key: string, target: NatsTarget): Entry => {
    const known = entries.get(key);
    // Moved to the end, so that the least recently used is the first to go.
    if (known !== undefined) entries.delete(key);
    const entry = known ?? { opened: connect(connectionOptions(target)), users: 0 };
    entries.set(key, entry);
    return entry;
  };
  const givenBack = (key: string, entry: Entry, discard: boolean): void => {
    entry.users--;
    if (discard || entries.get(key) !== entry) {
      drop(key, entry);
    } else if (entry.users === 0) {
      entry.idle = setTimeout(() => drop(key, entry), natsIdleMs);
      entry.idle.unref();
    }
    evict();
  };

  const lease = async (target: NatsTarget): Promise<NatsLease> => {
    // The password is part of the key: whoever does not know it gets no warm connection.
    const key = JSON.stringify(target);
    const entry = entryOf(key, target);
    clearTimeout(entry.idle);
    entry.users++;
    let connection: NatsConnection;
    try {
      connection = await entry.opened;
    } catch (error) {
      givenBack(key, entry, true);
      throw error;
    }
    if (connection.isClosed()) {
      // Nothing was sent on it yet, so a new one can do no harm.
      givenBack(key, entry, true);
      return lease(target);
    }
    let isOut = true;
    return {
      connection,
      release: (options = { discard: false }) => {
        if (isOut) givenBack(key, entry, options.discard || connection.isClosed());
        isOut = false;
      },
    };
  };

  return {
    lease,
    close: async () => {
      const opened = [...entries].map(([key, entry]) => {
        entries.delete(key);
        ended(entry);
        return entry.opened.then((connection) => connection.closed());
      });
      await Promise.allSettled(opened);
    },
  };
}

function connectionOptions(target: NatsTarget): ConnectionOptions {
  const { servers, isEncrypted, user, password, token } = target;
  return {
    servers: [...servers],
    name: "noetl",
    reconnect: false,
    timeout: natsConnectMs,
    pingInterval: natsConnectMs,
    maxPingOut: 2,
    // Traces of where each request was made cost more than the requests.
    noAsyncTraces: true,
    ...(token === undefined ? {} : { token }),
    ...(user === undefined ? {} : { user, pass: password ?? "" }),
    ...(isEncrypted ? { tls: {} } : {}),
  };
}
