// A worker with a scripted control plane and a clock of the test, and tools to hold it busy.

import type { WorkerCommand } from "#core/model/command";
import { type VirtualClock, virtualClock } from "#tests/support/virtual-clock";
import { command, ok, task } from "#tests/worker/commands";
import { type ScriptedControl, scriptedControl } from "#tests/worker/scripted-control";
import { startWorker, type Worker, type WorkerOptions } from "#worker/loop";
import { givenTools } from "#worker/registry";
import type { Tool, ToolContext } from "#worker/tools/tool";

/** A tool whose calls end when the test says so. */
export function heldTool(): Tool & { readonly calls: ToolContext[]; finish(step: string): void } {
  const calls: ToolContext[] = [];
  const waiting = new Map<string, () => void>();
  return {
    kind: "tool",
    calls,
    finish: (step) => waiting.get(step)?.(),
    run: async (_config, context) => {
      calls.push(context);
      await new Promise<void>((resolve) => {
        waiting.set(context.step, resolve);
        context.signal.addEventListener("abort", () => resolve());
      });
      if (context.signal.aborted) throw context.signal.reason;
      return ok(context.step);
    },
  };
}

export const instant: Tool = { kind: "tool", run: async () => ok(null) };
export const deaf: Tool = { kind: "tool", run: () => new Promise(() => {}) };

export const work = (step: string, options: Parameters<typeof command>[1] = {}): WorkerCommand =>
  command([task("only")], { step, ...options });

export interface Setting {
  readonly control: ScriptedControl;
  readonly clock: VirtualClock;
  readonly worker: Worker;
}

export function setting(
  tool: Tool,
  given: Partial<WorkerOptions> = {},
  ready: WorkerCommand[] = [],
): Setting {
  const clock = virtualClock();
  const control = scriptedControl((delayMs) => clock.sleep(delayMs));
  control.ready.push(...ready);
  const worker = startWorker({
    control,
    clock,
    tools: givenTools([tool]),
    workerId: "worker-1",
    pools: ["default"],
    slots: 2,
    policy: { shell: false, fileRoots: [] },
    random: () => 1,
    ...given,
  });
  return { control, clock, worker };
}
