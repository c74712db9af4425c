// The worker's end of one sandbox process: one call at a time over IPC. A program that does not
// notice its deadline is killed with the process.

import { fileURLToPath } from "node:url";
import type { Subprocess } from "bun";
import { isCompiled } from "#core/adapters/compiled";
import { javascriptKillGraceMs, javascriptProcessCallsMax } from "#core/model/limits";
import type { ChildCall, ChildMessage } from "./javascript-child.ts";
import type { SandboxReply } from "./javascript-sandbox.ts";
import { type Environment, workerPidName } from "./process-group.ts";

/** What a compiled binary is called with to be such a process. */
export const javascriptChildArgument = "__javascript";

export interface JavascriptStart {
  /** Starts a process that calls `serveJavascript`; needed in a compiled binary. */
  readonly command?: readonly string[];
  readonly environment: Environment;
  /** Time a program gets to notice its deadline before it is killed. */
  readonly killGraceMs?: number;
}

export interface JavascriptCall extends ChildCall {
  readonly signal: AbortSignal;
  readonly printed: (stream: "stdout" | "stderr", text: string) => void;
}

export type ProcessReply =
  | { readonly kind: "reply"; readonly reply: SandboxReply }
  | { readonly kind: "broken"; readonly message: string }
  | { readonly kind: "died" };

interface OpenCall {
  readonly printed: JavascriptCall["printed"];
  readonly settle: (reply: ProcessReply) => void;
}

export class JavascriptProcess {
  readonly #child: Subprocess<"ignore", "ignore", "ignore">;
  readonly #killGraceMs: number;
  readonly ended: Promise<void>;
  #call: OpenCall | undefined;
  #calls = 0;
  #fresh = true;

  constructor(start: JavascriptStart) {
    this.#killGraceMs = start.killGraceMs ?? javascriptKillGraceMs;
    this.#child = Bun.spawn([...(start.command ?? ownCommand())], {
      // A folder without configuration or `.env` files that Bun would read.
      cwd: "/",
      env: { ...start.environment, [workerPidName]: String(process.pid) },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      ipc: (message: ChildMessage) => this.#said(message),
      onExit: () => this.#exited(),
    });
    this.#child.unref();
    this.ended = this.#child.exited.then(() => {});
  }

  get pid(): number {
    return this.#child.pid;
  }

  get usable(): boolean {
    return this.#fresh && this.#call === undefined && this.#calls < javascriptProcessCallsMax;
  }

  kill(): void {
    this.#fresh = false;
    this.#child.kill("SIGKILL");
  }

  /** Runs one program; never rejects. Only a usable process may be called. */
  async call({ signal, printed, ...call }: JavascriptCall): Promise<ProcessReply> {
    const reply = Promise.withResolvers<ProcessReply>();
    this.#call = { printed, settle: reply.resolve };
    this.#calls++;
    let grace: ReturnType<typeof setTimeout> | undefined;
    const stop = (): void => {
      // At its deadline the program is about to be interrupted, and its process stays warm.
      const timedOut = signal.reason instanceof Error && signal.reason.name === "TimeoutError";
      grace = setTimeout(() => this.kill(), timedOut ? this.#killGraceMs : 0);
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    this.#send(call);
    try {
      return await reply.promise;
    } finally {
      clearTimeout(grace);
      signal.removeEventListener("abort", stop);
    }
  }

  #send(call: ChildCall): void {
    try {
      this.#child.send(call);
    } catch {
      // The channel is closed, so the process is ending: its exit answers the call.
      this.kill();
    }
  }

  #said(message: ChildMessage): void {
    const call = this.#call;
    if (call === undefined) return;
    if (message.kind === "printed") {
      call.printed(message.stream, message.text);
      return;
    }
    this.#call = undefined;
    if (message.kind === "broken") this.kill();
    call.settle(message);
  }

  #exited(): void {
    this.#fresh = false;
    this.#call?.settle({ kind: "died" });
    this.#call = undefined;
  }
}

/** A binary leads to the program by an argument of its own; a source tree has it as a file. */
function ownCommand(): readonly string[] {
  if (isCompiled) return [process.execPath, javascriptChildArgument];
  const program = fileURLToPath(new URL("./javascript-main.ts", import.meta.url));
  return [process.execPath, program];
}
