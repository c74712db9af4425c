// One warm python3 process: sends it one call at a time and tells apart an answer, an end by
// itself and a stop by us. It never survives a stop, nor the worker, nor a call that left traces.

import { type ChildProcess, spawn } from "node:child_process";
import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  pythonAddressBytesMax,
  pythonResidentBytesMax,
  pythonRunnerCallsMax,
  resultBytesMax,
} from "#core/model/limits";
import {
  type Environment,
  killStrays,
  markVariable,
  outputClosed,
  signalGroup,
} from "./process-group.ts";
import evaluation from "./python-evaluation.py" with { type: "text" };
import { type MarkedText, markedText } from "./python-marker.ts";
import runner from "./python-runner.py" with { type: "text" };

/** Reads the program from descriptor 3, so that no file and no long argument is needed. */
const bootstrap =
  "import sys;sys.path[:]=[p for p in sys.path if p];requests=open(3,'rb');" +
  "exec(compile(requests.read(int(requests.readline())),'<noetl runner>','exec'))";
const program = Buffer.from(`${evaluation}\n${runner}`);
/** What an answer may weigh beside its result: messages and tracebacks are cut by the runner. */
const answerHeadBytesMax = 1_048_576;

export interface RunnerStart {
  readonly interpreter: string;
  readonly cwd: string;
  readonly environment: Environment;
  /** RLIMIT_AS in bytes; 0 sets none. */
  readonly addressBytesMax?: number;
}

export interface RunnerCall {
  readonly request: JsonObject;
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
  /** Kills the process and all it started. */
  readonly signal: AbortSignal;
}

export type RunnerReply =
  | { readonly kind: "answer"; readonly answer: JsonObject }
  | { readonly kind: "stopped" }
  | { readonly kind: "garbled"; readonly why: string }
  | { readonly kind: "died"; readonly exitCode: number | null; readonly signal: string | null }
  | { readonly kind: "unstartable"; readonly code: string };

interface OpenCall {
  readonly id: number;
  readonly settle: (reply: RunnerReply) => void;
  readonly marked: readonly MarkedText[];
  answer: JsonObject | undefined;
  stopped: boolean;
}

export class PythonRunner {
  readonly #child: ChildProcess;
  readonly #mark: string;
  readonly #ended = Promise.withResolvers<void>();
  #call: OpenCall | undefined;
  #marked: { stdout: MarkedText; stderr: MarkedText } | undefined;
  #answerParts: Buffer[] = [];
  #answerBytes = 0;
  #calls = 0;
  #fresh = true;
  #alive = true;

  constructor(start: RunnerStart) {
    const mark = markVariable();
    this.#mark = mark.value;
    this.#child = spawn(start.interpreter, ["-X", "utf8", "-c", bootstrap], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      cwd: start.cwd,
      env: { ...start.environment, [mark.name]: mark.value },
      detached: true,
    });
    this.#child.once("error", (error) => this.#failed(error));
    this.#child.once("exit", (exitCode, signal) => void this.#exited(exitCode, signal));
    for (const stream of this.#child.stdio) stream?.on("error", () => {});
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#printed("stdout", chunk));
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#printed("stderr", chunk));
    this.#child.stdio[4]?.on("data", (chunk: Buffer) => this.#answered(chunk));
    const settings = JSON.stringify({
      address_bytes_max: start.addressBytesMax ?? pythonAddressBytesMax,
      resident_bytes_max: pythonResidentBytesMax,
    });
    this.#send(`${program.length}\n`);
    this.#send(program);
    this.#send(`${settings}\n`);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False once it was killed, has died, or holds traces of a call that can't be undone. */
  get usable(): boolean {
    return this.#alive && this.#fresh && this.#call === undefined;
  }

  /** Resolves when the process is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Runs one call to its end; never rejects. Only a usable runner may be called. */
  async call(call: RunnerCall): Promise<RunnerReply> {
    const marker = `\0noetl ${crypto.randomUUID()}\n`;
    const marked = {
      stdout: markedText(marker, call.stdout),
      stderr: markedText(marker, call.stderr),
    };
    const reply = Promise.withResolvers<RunnerReply>();
    const id = ++this.#calls;
    this.#marked = marked;
    this.#call = {
      id,
      settle: reply.resolve,
      marked: Object.values(marked),
      answer: undefined,
      stopped: false,
    };
    const stop = () => this.#stop();
    call.signal.addEventListener("abort", stop, { once: true });
    this.#send(`${JSON.stringify({ ...call.request, id, marker })}\n`);
    if (call.signal.aborted) stop();
    try {
      return await reply.promise;
    } finally {
      call.signal.removeEventListener("abort", stop);
    }
  }

  /** Ends the process and everything in its group at once. */
  kill(): void {
    this.#fresh = false;
    if (!this.#alive) return;
    signalGroup(this.#child.pid, "SIGKILL");
  }

  #stop(): void {
    if (this.#call !== undefined) this.#call.stopped = true;
    this.kill();
    void this.#drained().then(() => this.#settle({ kind: "stopped" }));
  }

  #send(data: string | Buffer): void {
    const input = this.#child.stdio[3];
    if (input !== null && input !== undefined && "write" in input) input.write(data);
  }

  #printed(stream: "stdout" | "stderr", chunk: Buffer): void {
    // Output between calls comes from something that a call left behind.
    if (this.#marked === undefined) this.kill();
    else if (this.#marked[stream].write(chunk)) this.#finish();
  }

  #answered(chunk: Buffer): void {
    this.#answerParts.push(chunk);
    this.#answerBytes += chunk.length;
    if (this.#answerBytes > resultBytesMax + answerHeadBytesMax) {
      this.#garbled(`an answer of more than ${resultBytesMax} bytes`);
    } else if (chunk.at(-1) === 10) {
      const text = Buffer.concat(this.#answerParts).toString("utf8");
      this.#answerParts = [];
      this.#answerBytes = 0;
      this.#take(parsed(text));
    }
  }

  #take(answer: Json | undefined): void {
    const call = this.#call;
    if (
      call === undefined ||
      call.answer !== undefined ||
      !isJsonObject(answer) ||
      answer["id"] !== call.id
    ) {
      this.#garbled("something else than its answer");
      return;
    }
    call.answer = answer;
    this.#finish();
  }

  #finish(): void {
    const { answer, marked } = this.#call ?? {};
    if (answer === undefined || marked?.every((text) => text.ended) !== true) return;
    if (answer["leftover"] !== null || this.#calls >= pythonRunnerCallsMax) this.kill();
    this.#settle({ kind: "answer", answer });
  }

  #garbled(why: string): void {
    this.kill();
    this.#settle({ kind: "garbled", why });
  }

  #failed(error: Error): void {
    this.#alive = false;
    const code = "code" in error ? String(error.code) : error.name;
    this.#settle({ kind: "unstartable", code });
    this.#ended.resolve();
  }

  async #exited(exitCode: number | null, signal: string | null): Promise<void> {
    this.#alive = false;
    this.#fresh = false;
    // Children of user code that outlived the leader of their group.
    signalGroup(this.#child.pid, "SIGKILL");
    await killStrays(this.#mark);
    await this.#drained();
    this.#settle({ kind: "died", exitCode, signal });
    this.#ended.resolve();
  }

  #drained(): Promise<void> {
    return outputClosed([this.#child.stdout, this.#child.stderr]);
  }

  #settle(reply: RunnerReply): void {
    const call = this.#call;
    if (call === undefined) return;
    for (const text of call.marked) text.flush();
    this.#call = undefined;
    this.#marked = undefined;
    call.settle(call.stopped ? { kind: "stopped" } : reply);
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // JSON.parse answers JSON by its nature.
  } catch {
    return undefined;
  }
}
