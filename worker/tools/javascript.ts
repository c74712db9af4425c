// The javascript tool: runs a step's code in a sandboxed QuickJS in a process of its own. The code
// computes; it can reach no file, no network and no value of the worker but its inputs.

import type { Json, JsonObject } from "#core/model/json";
import {
  errorMessageCharsMax,
  errorTracebackCharsMax,
  idleProcessMs,
  javascriptMemoryBytesMax,
  javascriptProcessesIdleMax,
  javascriptProcessesMax,
  javascriptStackBytesMax,
  resultBytesMax,
} from "#core/model/limits";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import { withDeadline } from "./call-config.ts";
import {
  callInput,
  capturePrinted,
  outputOf,
  type PrintedText,
  printedMeta,
  resultFailure,
  resultTooLarge,
  stopped,
} from "./code-call.ts";
import { JavascriptProcess, type ProcessReply } from "./javascript-process.ts";
import type { SandboxReply } from "./javascript-sandbox.ts";
import { cleanEnvironment, type WorkerEnvironment } from "./process-group.ts";
import { programText } from "./script-source.ts";
import type { Tool, ToolContext } from "./tool.ts";
import { WarmPool } from "./warm-pool.ts";

export interface JavascriptToolOptions {
  /** The worker's environment, of which the sandbox's process gets a few harmless names. */
  readonly environment?: WorkerEnvironment;
  /**
   * Starts a process that calls `serveJavascript` of `javascript-child`. The default runs it from
   * the source tree; a compiled binary names itself and an argument that leads there.
   */
  readonly command?: readonly string[];
  readonly processesMax?: number;
  readonly processesIdleMax?: number;
  readonly idleMs?: number;
  /** Time a program gets to notice its deadline before it is killed. */
  readonly killGraceMs?: number;
  readonly memoryBytesMax?: number;
  readonly resultBytesMax?: number;
}

export interface JavascriptTool extends Tool {
  close(): Promise<void>;
  /** Processes alive, idle ones included. */
  processes(): number;
}

export function javascriptTool(options: JavascriptToolOptions = {}): JavascriptTool {
  const environment = cleanEnvironment(options.environment ?? process.env);
  const pool = new WarmPool({
    start: () => new JavascriptProcess({ ...options, environment }),
    max: options.processesMax ?? javascriptProcessesMax,
    idleMax: options.processesIdleMax ?? javascriptProcessesIdleMax,
    idleMs: options.idleMs ?? idleProcessMs,
  });
  const run = async (config: JsonObject, context: ToolContext): Promise<Output> => {
    return withDeadline(config, context, async ({ signal, endsAtMs, ended }) => {
      const code = await programText(config, context);
      const inputs = callInput(config);
      const given = JSON.stringify({ inputs, names: stepNames(config, context) });
      const printed = capturePrinted(context);
      const runner = await pool.take(signal);
      if (runner === undefined) return stopped(ended());
      const reply = await runner.call({
        code,
        file: `<${context.step}>`,
        given,
        memoryBytesMax: options.memoryBytesMax ?? javascriptMemoryBytesMax,
        stackBytesMax: javascriptStackBytesMax,
        resultBytesMax: options.resultBytesMax ?? resultBytesMax,
        timeoutMs: endsAtMs - performance.now(),
        signal,
        printed: (stream, text) => printed[stream].write(Buffer.from(text)),
      });
      pool.give(runner);
      // The program noticed its deadline by its own clock, which may be ahead of our timer.
      if (reply.kind === "reply" && reply.reply.kind === "stopped") await aborted(signal);
      printed.stdout.end();
      printed.stderr.end();
      const why = ended();
      if (why !== undefined) return { ...failureOutput(why.failure), ...printedMeta(printed) };
      return processOutput(reply, printed);
    });
  };
  return {
    kind: "javascript",
    run: (config, context) => outputOf(() => run(config, context)),
    close: () => pool.close(),
    processes: () => pool.size,
  };
}

/** The names that every step has, besides its own inputs. */
function stepNames(config: JsonObject, context: ToolContext): JsonObject {
  const names = {
    variables: context.variables,
    execution_id: context.executionId,
    step: context.step,
  };
  const call = { args: callInput(config), idempotency_key: context.idempotencyKey };
  return { ...names, context: { ...names, ...call } };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function processOutput(reply: ProcessReply, printed: PrintedText): Output {
  switch (reply.kind) {
    case "reply":
      return sandboxOutput(reply.reply, printed);
    case "broken":
      return failed(failure("sandbox", `the interpreter broke: ${reply.message}`), printed);
    case "died": {
      const died = failure("sandbox", "the interpreter's process was killed");
      return failed({ ...died, retryable: true }, printed);
    }
    default:
      return reply satisfies never;
  }
}

function sandboxOutput(reply: SandboxReply, printed: PrintedText): Output {
  switch (reply.kind) {
    case "value":
      return {
        status: "ok",
        data: JSON.parse(reply.text) as Json, // The sandbox made this text with JSON.stringify.
        ...printedMeta(printed),
      };
    case "none":
      return {
        status: "ok",
        data: { stdout: printed.stdout.text(), stderr: printed.stderr.text() },
      };
    case "thrown":
      return failed(thrownFailure(reply), printed);
    case "unsettled": {
      const message = "the result never settles: the sandbox has no timers and no I/O to wait for";
      return failed(failure("unsettled", message), printed);
    }
    case "not_json":
      return failed(resultFailure(`result is not JSON: ${reply.message}`), printed);
    case "too_large":
      return failed(resultTooLarge(reply.bytes, reply.bytesMax), printed);
    case "stopped":
      return failed(failure("sandbox", "the interpreter was stopped"), printed);
    default:
      return reply satisfies never;
  }
}

function thrownFailure(thrown: Extract<SandboxReply, { readonly kind: "thrown" }>): Failure {
  const text = thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`;
  const stack = thrown.stack.slice(0, errorTracebackCharsMax);
  return {
    ...failure(thrown.name.slice(0, 200), text.slice(0, errorMessageCharsMax)),
    ...(stack === "" ? {} : { details: { stack } }),
  };
}

function failure(code: string, message: string): Failure {
  return { kind: "javascript", code, message, retryable: false };
}

function failed(error: Failure, printed: PrintedText): Output {
  return { status: "error", error, ...printedMeta(printed) };
}
