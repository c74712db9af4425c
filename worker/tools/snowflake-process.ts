// The worker's end of one process that speaks to Snowflake: a call at a time, over its IPC channel,
// so that secrets stand in no argument and no environment. One that was told to stop and doesn't is
// killed, and so is one whose client broke.

import { fileURLToPath } from "node:url";
import type { Subprocess } from "bun";
import { isCompiled } from "#core/adapters/compiled";
import type { Failure } from "#core/model/outcome";
import { snowflakeGoodbyeMs, snowflakeKillGraceMs } from "#core/model/run-tool-limits";
import { cleanEnvironment, type WorkerEnvironment, workerPidName } from "./process-group.ts";
import type { SnowflakeReply, SnowflakeRequest } from "./snowflake-child.ts";
import type { SnowflakeCall } from "./snowflake-config.ts";
import type { WarmProcess } from "./warm-pool.ts";

/** What a compiled binary is called with to be such a process. */
export const snowflakeChildArgument = "__snowflake";

/** How the service is reached from here, besides what every program needs. */
const passedNames = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  "NODE_EXTRA_CA_CERTS",
];

export class SnowflakeProcess implements WarmProcess {
  readonly #child: Subprocess<"ignore", "ignore", "ignore">;
  readonly ended: Promise<void>;
  #settle: ((reply: SnowflakeReply) => void) | undefined;
  #fresh = true;

  constructor(environment: WorkerEnvironment) {
    const passed = passedNames.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    this.#child = Bun.spawn([...ownCommand()], {
      // A folder without configuration or `.env` files that Bun would read.
      cwd: "/",
      env: {
        ...cleanEnvironment(environment),
        ...Object.fromEntries(passed),
        [workerPidName]: String(process.pid),
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      ipc: (reply: SnowflakeReply) => this.#said(reply),
      onExit: () => this.#exited(),
    });
    this.#child.unref();
    this.ended = this.#child.exited.then(() => {});
  }

  get pid(): number {
    return this.#child.pid;
  }

  get usable(): boolean {
    return this.#fresh && this.#settle === undefined;
  }

  kill(): void {
    this.#fresh = false;
    this.#child.kill("SIGKILL");
  }

  /** Never rejects. Only a usable process may be called; it answers soon after the signal. */
  async call(call: SnowflakeCall, signal: AbortSignal): Promise<SnowflakeReply> {
    const reply = Promise.withResolvers<SnowflakeReply>();
    this.#settle = reply.resolve;
    let grace: ReturnType<typeof setTimeout> | undefined;
    const stop = (): void => {
      this.#send({ kind: "stop" });
      grace = setTimeout(() => this.kill(), snowflakeGoodbyeMs + snowflakeKillGraceMs);
    };
    this.#send({ kind: "call", call });
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await reply.promise;
    } finally {
      clearTimeout(grace);
      signal.removeEventListener("abort", stop);
    }
  }

  #send(request: SnowflakeRequest): void {
    try {
      this.#child.send(request);
    } catch {
      // The channel is closed, so the process is ending: its exit answers the call.
      this.kill();
    }
  }

  #said(reply: SnowflakeReply): void {
    const settle = this.#settle;
    this.#settle = undefined;
    if (reply.kind === "broken") this.kill();
    settle?.(reply);
  }

  #exited(): void {
    this.#fresh = false;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.({ kind: "broken", failure: died });
  }
}

const died: Failure = {
  kind: "snowflake",
  code: "client_ended",
  message: "the process of the service's client ended in the middle of the call",
  retryable: true,
};

/** A binary leads to the program by an argument of its own; a source tree has it as a file. */
function ownCommand(): readonly string[] {
  if (isCompiled) return [process.execPath, snowflakeChildArgument];
  return [process.execPath, fileURLToPath(new URL("./snowflake-main.ts", import.meta.url))];
}
