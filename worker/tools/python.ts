// The python tool: runs a step's code in a warm python3 process, in a fresh module, under the
// call's deadline. It is no sandbox against hostile code: that is what plug-ins and javascript are.

import type { JsonObject } from "#core/model/json";
import {
  idleProcessMs,
  pythonInterpretersMax,
  pythonRunnersIdleMax,
  pythonRunnersMax,
} from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { configFailure, type Deadline, withDeadline } from "./call-config.ts";
import { capturePrinted, outputOf, printedMeta, stopped } from "./code-call.ts";
import { cleanEnvironment, type WorkerEnvironment } from "./process-group.ts";
import { pythonCall } from "./python-config.ts";
import { pythonOutput } from "./python-output.ts";
import { PythonRunner } from "./python-process.ts";
import type { Tool, ToolContext } from "./tool.ts";
import { WarmPool } from "./warm-pool.ts";

export interface PythonToolOptions {
  /** The worker's environment, of which programs get a few harmless names. */
  readonly environment?: WorkerEnvironment;
  /** What steps run by default; `python3` is looked up on PATH. */
  readonly interpreter?: string;
  readonly cwd?: string;
  /** `context["server_url"]` of the code: the address of the control plane. */
  readonly serverUrl?: string;
  readonly runnersMax?: number;
  readonly runnersIdleMax?: number;
  readonly idleMs?: number;
  /** RLIMIT_AS of each process in bytes; 0 sets none. */
  readonly addressBytesMax?: number;
  readonly resultBytesMax?: number;
}

export interface PythonTool extends Tool {
  close(): Promise<void>;
  /** Processes alive, idle ones included. */
  runners(): number;
}

export function pythonTool(options: PythonToolOptions = {}): PythonTool {
  const pools = new Map<string, WarmPool<PythonRunner>>();
  const start = {
    ...options,
    cwd: options.cwd ?? process.cwd(),
    environment: cleanEnvironment(options.environment ?? process.env),
  };
  const defaults = {
    ...options,
    interpreter: options.interpreter ?? "python3",
    cwd: start.cwd,
    serverUrl: options.serverUrl ?? "",
  };
  const newPool = (interpreter: string): WarmPool<PythonRunner> =>
    new WarmPool({
      start: () => new PythonRunner({ ...start, interpreter }),
      max: options.runnersMax ?? pythonRunnersMax,
      idleMax: options.runnersIdleMax ?? pythonRunnersIdleMax,
      idleMs: options.idleMs ?? idleProcessMs,
    });
  const poolOf = (interpreter: string): WarmPool<PythonRunner> => {
    const pool = pools.get(interpreter) ?? newPool(interpreter);
    if (!pools.has(interpreter) && pools.size >= pythonInterpretersMax) {
      throw configFailure(`python: expected at most ${pythonInterpretersMax} interpreters in use`);
    }
    pools.set(interpreter, pool);
    return pool;
  };
  return {
    kind: "python",
    run: (config, context) =>
      outputOf(() =>
        withDeadline(config, context, async (deadline) => {
          const { interpreter, request } = await pythonCall(config, context, defaults);
          return runOn(poolOf(interpreter), { deadline, context, interpreter, request });
        }),
      ),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
    runners: () => [...pools.values()].reduce((sum, pool) => sum + pool.size, 0),
  };
}

interface Run {
  readonly deadline: Deadline;
  readonly context: ToolContext;
  readonly interpreter: string;
  readonly request: JsonObject;
}

async function runOn(
  pool: WarmPool<PythonRunner>,
  { deadline: { signal, ended }, context, interpreter, request }: Run,
): Promise<Output> {
  const printed = capturePrinted(context);
  const runner = await pool.take(signal);
  if (runner === undefined) return stopped(ended());
  const reply = await runner.call({
    request,
    stdout: printed.stdout.write,
    stderr: printed.stderr.write,
    signal,
  });
  pool.give(runner);
  printed.stdout.end();
  printed.stderr.end();
  if (reply.kind === "stopped") return { ...stopped(ended()), ...printedMeta(printed) };
  return pythonOutput(reply, printed, interpreter);
}
