// The process in which sandboxes run: one call at a time, each in an interpreter made ahead while
// the process was idle. A process, since only a process can be stopped in any instruction: a
// thread's endless search of a string goes on after the thread was terminated.

import { messageOf } from "#core/model/fault";
import { logCharsMax } from "#core/model/limits";
import { dieWithWorker } from "./die-with-worker.ts";
import {
  newSandbox,
  runInSandbox,
  type SandboxCall,
  type SandboxReply,
} from "./javascript-sandbox.ts";

export interface ChildCall extends SandboxCall {
  /** The program is interrupted when it has run this long. */
  readonly timeoutMs: number;
}

export type ChildMessage =
  | { readonly kind: "printed"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly kind: "reply"; readonly reply: SandboxReply }
  | { readonly kind: "broken"; readonly message: string };

const batchChars = 8_192;
const batchMs = 50;

/** Serves calls that arrive over the process's IPC channel until the channel closes. */
export async function serveJavascript(): Promise<void> {
  await dieWithWorker();
  const post = (message: ChildMessage): void => {
    process.send?.(message);
  };
  let next = newSandbox();
  const serve = async (call: ChildCall): Promise<void> => {
    const printer = batchedPrinter(post);
    let answer: ChildMessage;
    try {
      const sandbox = await next;
      const endMs = performance.now() + call.timeoutMs;
      const stopped = (): boolean => performance.now() > endMs;
      answer = {
        kind: "reply",
        reply: runInSandbox(sandbox, call, { emit: printer.emit, stopped }),
      };
    } catch (error) {
      answer = brokenBy(error);
    }
    printer.flush();
    post(answer);
    next = newSandbox();
  };
  const closed = Promise.withResolvers<void>();
  process.on("message", (call: ChildCall) => void serve(call));
  process.on("disconnect", () => closed.resolve());
  await closed.promise;
  process.exit(0);
}

/** Nesting that exhausts the process's own stack is the program's fault. */
function brokenBy(error: unknown): ChildMessage {
  if (!(error instanceof RangeError)) return { kind: "broken", message: messageOf(error) };
  const message = "nested too deep for the interpreter";
  return { kind: "reply", reply: { kind: "thrown", name: "RangeError", message, stack: "" } };
}

/** Prints in batches, and nothing beyond `logCharsMax`: a flood would fill the worker's memory. */
function batchedPrinter(post: (message: ChildMessage) => void) {
  let batch: { readonly stream: "stdout" | "stderr"; text: string } | undefined;
  let sentMs = Number.NEGATIVE_INFINITY;
  let chars = 0;
  const flush = (): void => {
    if (batch === undefined) return;
    post({ kind: "printed", ...batch });
    batch = undefined;
    sentMs = performance.now();
  };
  const emit = (stream: "stdout" | "stderr", text: string): void => {
    if (chars > logCharsMax) return;
    chars += text.length;
    if (batch !== undefined && batch.stream !== stream) flush();
    batch ??= { stream, text: "" };
    batch.text += text;
    if (batch.text.length > batchChars || performance.now() - sentMs > batchMs) flush();
  };
  return { emit, flush };
}
