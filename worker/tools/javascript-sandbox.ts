// Runs one program in a QuickJS of its own: no file, no network, no clock but Date, bounded memory
// and stack, stopped by a flag. Only text crosses the wall; nothing of ours is handed in.

import variant from "@jitl/quickjs-ng-wasmfile-release-sync";
import wasmPath from "@jitl/quickjs-ng-wasmfile-release-sync/wasm" with { type: "file" };
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import { sandboxPrelude, sandboxProgram, userStack } from "./javascript-prelude.ts";

export interface SandboxCall {
  readonly code: string;
  /** Name of the program in stack lines. */
  readonly file: string;
  /** JSON text of `{inputs, names}`, see the prelude. */
  readonly given: string;
  readonly memoryBytesMax: number;
  readonly stackBytesMax: number;
  readonly resultBytesMax: number;
}

export interface SandboxHooks {
  readonly emit: (stream: "stdout" | "stderr", text: string) => void;
  /** Asked every few thousand operations; true ends the program. */
  readonly stopped: () => boolean;
}

export type SandboxReply =
  | { readonly kind: "value"; readonly text: string }
  | { readonly kind: "none" }
  | {
      readonly kind: "thrown";
      readonly name: string;
      readonly message: string;
      readonly stack: string;
    }
  | { readonly kind: "unsettled" }
  | { readonly kind: "not_json"; readonly message: string }
  | { readonly kind: "too_large"; readonly bytes: number; readonly bytesMax: number }
  | { readonly kind: "stopped" };

/** Jobs run between two looks at the stop flag. */
const jobsPerLook = 1_000;
let compiledWasm: Promise<WebAssembly.Module> | undefined;

/** A fresh interpreter: own memory, so that nothing of one call can be found by the next. */
export async function newSandbox(): Promise<QuickJSWASMModule> {
  compiledWasm ??= Bun.file(wasmPath)
    .arrayBuffer()
    .then((bytes) => WebAssembly.compile(bytes));
  const wasmModule = await compiledWasm;
  return newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule }));
}

/**
 * Runs a program to its end. Throws only if the interpreter itself breaks; the sandbox is spent
 * either way and is left to the garbage collector as a whole.
 */
export function runInSandbox(
  sandbox: QuickJSWASMModule,
  call: SandboxCall,
  hooks: SandboxHooks,
): SandboxReply {
  const runtime = sandbox.newRuntime();
  runtime.setMemoryLimit(call.memoryBytesMax);
  runtime.setMaxStackSize(call.stackBytesMax);
  runtime.setInterruptHandler(hooks.stopped);
  const context = runtime.newContext();
  const bridge = openBridge(context, call, hooks);
  const program = context.evalCode(sandboxProgram(call.code), call.file);
  if (program.error !== undefined) return thrown(bridge, program.error);
  const started = context.callFunction(program.value, context.undefined);
  if (started.error !== undefined) return thrown(bridge, started.error);
  return settled(bridge, runtime, started.value);
}

interface Bridge {
  readonly context: QuickJSContext;
  readonly call: SandboxCall;
  readonly hooks: SandboxHooks;
  readonly finish: QuickJSHandle;
  readonly describe: QuickJSHandle;
}

function openBridge(context: QuickJSContext, call: SandboxCall, hooks: SandboxHooks): Bridge {
  const prelude = context.unwrapResult(context.evalCode(sandboxPrelude, "<prelude>"));
  const emit = context.newFunction("emit", (stream, text) => {
    const name = context.getString(stream) === "stderr" ? "stderr" : "stdout";
    hooks.emit(name, context.getString(text));
  });
  const given = context.newString(call.given);
  const made = context.unwrapResult(context.callFunction(prelude, context.undefined, given, emit));
  const finish = context.getProp(made, "finish");
  const describe = context.getProp(made, "describe");
  return { context, call, hooks, finish, describe };
}

/** Runs queued jobs until the program's promise has settled or nothing is left to run. */
function settled(bridge: Bridge, runtime: QuickJSRuntime, promise: QuickJSHandle): SandboxReply {
  const { context, hooks } = bridge;
  for (;;) {
    if (hooks.stopped()) return { kind: "stopped" };
    const ran = runtime.executePendingJobs(jobsPerLook);
    if (ran.error !== undefined) return thrown(bridge, ran.error);
    if (ran.value === 0) break;
  }
  const state = context.getPromiseState(promise);
  switch (state.type) {
    case "fulfilled":
      return finished(bridge, state.value);
    case "rejected":
      return thrown(bridge, state.error);
    case "pending":
      return { kind: "unsettled" };
    default:
      return state satisfies never;
  }
}

function finished(
  { context, call, hooks, finish, describe }: Bridge,
  value: QuickJSHandle,
): SandboxReply {
  const made = context.callFunction(finish, context.undefined, value);
  if (made.error !== undefined) {
    const why = thrown({ context, call, hooks, finish, describe }, made.error);
    return why.kind === "thrown" ? { kind: "not_json", message: why.message } : why;
  }
  const text = context.getString(made.value);
  if (text === "") return { kind: "none" };
  const bytes = Buffer.byteLength(text);
  const bytesMax = call.resultBytesMax;
  return bytes > bytesMax ? { kind: "too_large", bytes, bytesMax } : { kind: "value", text };
}

function thrown({ context, call, hooks, describe }: Bridge, error: QuickJSHandle): SandboxReply {
  if (hooks.stopped()) return { kind: "stopped" };
  const described = context.callFunction(describe, context.undefined, error);
  if (described.error !== undefined) {
    if (hooks.stopped()) return { kind: "stopped" };
    // Out of memory so far that not even the error's text fits.
    return { kind: "thrown", name: "InternalError", message: "out of memory", stack: "" };
  }
  const { name, message, stack } = JSON.parse(context.getString(described.value)) as {
    // The prelude made this text of three strings.
    readonly name: string;
    readonly message: string;
    readonly stack: string;
  };
  return { kind: "thrown", name, message, stack: userStack(stack, call.file) };
}
