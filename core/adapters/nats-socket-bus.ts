// The bus for runtimes that keep nothing between two requests: it only sends, over a WebSocket of
// its own, which is opened by the first message and closed once the last one has arrived.

import { headers, type NatsConnection, wsconnect } from "@nats-io/nats-core";
import { busConnectMs, busQueueMessagesMax, busRequestMs } from "#core/model/bus-limits";
import { Fault, messageOf } from "#core/model/fault";
import type { Bus, BusStatus } from "#core/ports/bus";
import { commandHint, commandHintId } from "#core/wire/subjects";
import { type NatsCredentials, natsServers } from "./nats-servers.ts";

export interface NatsSocketBusOptions {
  /** `wss://user:password@host:443`, several with commas between them. */
  readonly servers: string;
  /** Shown by the server in its list of connections. */
  readonly name: string;
  /** Told of messages that could not be sent; never with a password. */
  readonly onNotice?: (message: string) => void;
}

interface Message {
  readonly subject: string;
  readonly data: string;
  readonly messageId?: string;
}

/**
 * Returns at once and connects for the first message. What it is asked to listen to, it never hears.
 * @throws Fault `invalid` for servers that can't be any.
 */
export function natsSocketBus(options: NatsSocketBusOptions): Bus {
  const { servers, credentials } = socketServers(options.servers);
  const queue: Message[] = [];
  let sending: Promise<void> | undefined;
  let status: BusStatus = { state: "connecting", messagesLost: 0, hintsLost: 0 };
  let closed = false;

  const connect = (): Promise<NatsConnection> =>
    wsconnect({
      servers: [...servers],
      name: options.name,
      reconnect: false,
      timeout: busConnectMs,
      noAsyncTraces: true,
      ...(credentials?.kind === "token" ? { token: credentials.token } : {}),
      ...(credentials?.kind === "password"
        ? { user: credentials.user, pass: credentials.password }
        : {}),
    });

  const lose = (messages: readonly Message[]): void => {
    const hints = messages.filter(({ messageId }) => messageId !== undefined).length;
    const { messagesLost, hintsLost } = status;
    status = {
      ...status,
      messagesLost: messagesLost + messages.length - hints,
      hintsLost: hintsLost + hints,
    };
  };

  /** Until nothing is left; each time, it waits until the server has it. */
  const sendQueued = async (connection: NatsConnection): Promise<void> => {
    while (queue.length > 0) {
      const due = queue.splice(0);
      const refused = due.filter((message) => !isSent(connection, message));
      lose(refused);
      await arrived(connection).catch((thrown: unknown) => {
        lose(due.filter((message) => !refused.includes(message)));
        throw thrown;
      });
    }
  };

  const sendAll = async (): Promise<void> => {
    // What is published in the same turn goes over the same connection.
    await Promise.resolve();
    let connection: NatsConnection | undefined;
    try {
      connection = await connect();
      status = { ...status, state: "connected", server: connection.getServer() };
      await sendQueued(connection);
    } catch (thrown) {
      lose(queue.splice(0));
      const reason = `no messages over ${servers.join(", ")}: ${messageOf(thrown)}`;
      status = { ...status, reason };
      options.onNotice?.(reason);
    }
    await connection?.close().catch(() => {});
    // What came while the connection was being closed needs another.
    sending = queue.length > 0 ? sendAll() : undefined;
  };

  const add = (message: Message): void => {
    if (closed) return;
    if (queue.length >= busQueueMessagesMax) lose(queue.splice(0, 1));
    queue.push(message);
    sending ??= sendAll();
  };

  return {
    publish: (subject, data) => add({ subject, data }),
    hint: (pool, pointer) =>
      add({
        subject: commandHint(pool, pointer.execution_id),
        data: JSON.stringify(pointer),
        messageId: commandHintId(pointer),
      }),
    subscribe: () => ({ close: () => {} }),
    hints: () => ({ wake: () => {}, close: () => {} }),
    status: () => (closed ? { ...status, state: "closed" } : status),
    close: async () => {
      closed = true;
      while (sending !== undefined) await sending;
    },
  };
}

/** False for a message that is larger than the server takes: it would not get through later. */
function isSent(connection: NatsConnection, { subject, data, messageId }: Message): boolean {
  const head = headers();
  if (messageId !== undefined) head.set("Nats-Msg-Id", messageId);
  try {
    connection.publish(subject, data, messageId === undefined ? {} : { headers: head });
    return true;
  } catch {
    return false;
  }
}

/** A server that says nothing would keep whoever waits for the end of the request. */
async function arrived(connection: NatsConnection): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no answer in time")), busRequestMs);
  try {
    await Promise.race([connection.flush(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const defaultPorts: Readonly<Record<string, string>> = { "ws:": "80", "wss:": "443" };

interface SocketServers {
  /** With their scheme, without credentials. */
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials | undefined;
}

function socketServers(text: string): SocketServers {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const servers = parts.map((part) => {
    const url = URL.parse(part);
    const defaultPort = defaultPorts[url?.protocol ?? ""];
    if (url === null || defaultPort === undefined) {
      throw new Fault("invalid", "NATS_URL: expected addresses like wss://user:password@host:443");
    }
    return `${url.protocol}//${url.hostname}:${url.port === "" ? defaultPort : url.port}`;
  });
  const plain = parts.map((part) => part.replace(/^wss?:/, "nats:")).join(",");
  return { servers, credentials: natsServers(plain).credentials };
}
