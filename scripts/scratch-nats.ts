// A real NATS server with streams, in a folder of its own on a free port: for the distributed shape
// on one machine, for measurements and for tests. It may be killed, frozen and started again over
// the same data.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { natsServer } from "./system-packages.ts";

export interface ScratchNats {
  /** `nats://127.0.0.1:41234` */
  readonly url: string;
  /** Where it listens for WebSockets, when that was asked for. */
  readonly wsUrl: string | undefined;
  /** Goes down, by SIGKILL unless told otherwise; what it has stored stays. */
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Starts it over what it had stored, on the same port. */
  start(): Promise<void>;
  /** Goes down in order and comes back. */
  restart(): Promise<void>;
  /** Answers nobody until it is thawed, from the moment that this returns. */
  freeze(): void;
  thaw(): void;
  /** The process, while there is one. */
  pid(): number | undefined;
  /** Ends it and removes all that it had. */
  stop(): Promise<void>;
}

export interface NatsOptions {
  readonly webSocket?: boolean;
  /** Lines of the server's configuration. */
  readonly configuration?: string;
  /** Without it the server waits for `start`. */
  readonly startsLater?: boolean;
}

export const natsMissing =
  "the NATS server is not installed; install it with: apt-get install -y nats-server";

/** Resolves when it takes connections. @throws Error where there is no server. */
export async function scratchNats(options: NatsOptions = {}): Promise<ScratchNats> {
  const program = natsServer();
  if (program === undefined) throw new Error(natsMissing);
  const folder = await mkdtemp(join(tmpdir(), "noetl-nats-"));
  const port = await freePort();
  const webSocketPort = options.webSocket === true ? await freePort() : undefined;
  const file = join(folder, "nats.conf");
  await writeFile(file, configuration(folder, port, webSocketPort) + (options.configuration ?? ""));
  let child: Bun.Subprocess<"ignore", "ignore", "pipe"> | undefined;

  const start = async (): Promise<void> => {
    child = Bun.spawn([program, "-c", file], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    await isReady(child.stderr);
  };
  const kill = async (signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> => {
    child?.kill(signal);
    await child?.exited;
    child = undefined;
  };
  if (options.startsLater !== true) await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    wsUrl: webSocketPort === undefined ? undefined : `ws://127.0.0.1:${webSocketPort}`,
    kill,
    start,
    restart: async () => {
      await kill("SIGTERM");
      await start();
    },
    pid: () => child?.pid,
    freeze: () => {
      child?.kill("SIGSTOP");
      if (child !== undefined) untilStopped(child.pid);
    },
    thaw: () => child?.kill("SIGCONT"),
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A signal arrives a moment later, and until then each thread goes on; Linux tells of each. */
function untilStopped(pid: number): void {
  const threads = `/proc/${pid}/task`;
  const isStopped = (thread: string): boolean => {
    try {
      return /\) [TtXZ] /.test(readFileSync(`${threads}/${thread}/stat`, "utf8"));
    } catch {
      // It has ended in between.
      return true;
    }
  };
  if (!existsSync(threads)) return;
  while (!readdirSync(threads).every(isStopped)) Bun.sleepSync(1);
}

function configuration(folder: string, port: number, webSocketPort: number | undefined): string {
  const webSocket = `websocket { host: "127.0.0.1", port: ${webSocketPort}, no_tls: true }\n`;
  return [
    `host: "127.0.0.1"\nport: ${port}\n`,
    `jetstream { store_dir: ${JSON.stringify(join(folder, "data"))} }\n`,
    webSocketPort === undefined ? "" : webSocket,
  ].join("");
}

/** The server says so in its log; the rest of the log is read away, so that it never blocks. */
async function isReady(log: ReadableStream<Uint8Array>): Promise<void> {
  const ready = Promise.withResolvers<void>();
  const read = async (): Promise<void> => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of log) {
      text = (text + decoder.decode(chunk, { stream: true })).slice(-10_000);
      if (text.includes("Server is ready")) ready.resolve();
    }
    ready.reject(new Error(`the NATS server ended: ${text}`));
  };
  void read();
  await ready.promise;
}
