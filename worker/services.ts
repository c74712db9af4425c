// What all commands of a worker share, and where what a worker has to say goes.

import type { WorkerCommand } from "#core/model/command";
import type { Clock } from "#core/ports/clock";
import type { ClaimWork, ControlPlane } from "#core/ports/control-plane";
import type { LogStream, ToolPolicy } from "#worker/tools/tool";
import type { ToolRegistry } from "./registry.ts";
import type { TemplateCache } from "./template-cache.ts";

export interface ToolLine {
  readonly command: WorkerCommand;
  readonly label: string;
  readonly stream: LogStream;
  readonly text: string;
}

/** A policy runs a task again. */
export interface TaskRetry {
  readonly command: WorkerCommand;
  readonly label: string;
  /** The attempt that is to come, from 2. */
  readonly attempt: number;
  readonly delayMs: number;
  /** What the last attempt failed with, if it did. */
  readonly message?: string;
}

/** All must return at once; what they do with a text is bounded by them. */
export interface WorkerLog {
  /** A line of a tool's output or log. */
  line?(line: ToolLine): void;
  retry?(retry: TaskRetry): void;
  /** Something about the worker itself; never a payload or a secret. */
  notice?(message: string, thrown?: unknown): void;
}

export interface WorkerServices {
  readonly control: ControlPlane;
  readonly clock: Clock;
  readonly tools: ToolRegistry;
  readonly policy: ToolPolicy;
  readonly workerId: string;
  /** What the worker has, for commands that ask for it. */
  readonly labels?: readonly string[];
  readonly templates: TemplateCache;
  readonly log: WorkerLog;
  /** Runs it in a later turn of the event loop. */
  readonly defer: (run: () => void) => void;
  /** From 0 to 1: spreads what many workers would otherwise do at the same moment. */
  readonly random: () => number;
}

/** What a worker asks for, and what it says of itself; what goes without saying is left out. */
export function workOf(
  { workerId, labels = [] }: Pick<WorkerServices, "workerId" | "labels">,
  { idle = false, ...work }: Pick<ClaimWork, "pools" | "want" | "idle">,
): ClaimWork {
  return {
    worker: workerId,
    ...work,
    ...(labels.length === 0 ? {} : { labels }),
    ...(idle ? { idle } : {}),
  };
}
