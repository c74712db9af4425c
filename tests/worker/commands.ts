// Commands as a worker is given them, with only what a test is about written down.

import type {
  IterationBinding,
  PolicyRule,
  RuleAction,
  SetEntry,
  TaskPolicy,
  TaskSpec,
  TemplateHole,
  WorkerCommand,
} from "#core/model/command";
import { catalogId, commandId, executionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import { leaseMs } from "#core/model/limits";
import type { Outcome, Output } from "#core/model/outcome";
import type { ControlPlane } from "#core/ports/control-plane";
import { virtualClock } from "#tests/support/virtual-clock";
import { CommandRun } from "#worker/command-run";
import { givenTools } from "#worker/registry";
import { runCommand } from "#worker/run-command";
import type { WorkerServices } from "#worker/services";
import { templateCache } from "#worker/template-cache";
import type { Tool, ToolContext } from "#worker/tools/tool";

export const testExecution = executionId("478775660589088776");

export interface TaskOptions {
  readonly kind?: string;
  readonly config?: JsonObject;
  /** Texts by where they go: `url`, `input.page`, `params.0`. */
  readonly holes?: Readonly<Record<string, string>>;
  readonly set?: Readonly<Record<string, Json>>;
  readonly rules?: readonly PolicyRule[];
  readonly onUnmatched?: TaskPolicy["onUnmatched"];
}

export function task(label: string, options: TaskOptions = {}): TaskSpec {
  const { kind = "tool", config = {}, holes = {}, set = {}, rules, onUnmatched } = options;
  return {
    label,
    kind,
    config,
    holes: Object.entries(holes).map(([path, text]): TemplateHole => ({ at: place(path), text })),
    set: entries(set),
    ...(rules === undefined && onUnmatched === undefined
      ? {}
      : { policy: { onUnmatched: onUnmatched ?? "fail", rules: rules ?? [] } }),
  };
}

function place(path: string): readonly (string | number)[] {
  return path.split(".").map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

function entries(set: Readonly<Record<string, Json>>): readonly SetEntry[] {
  return Object.entries(set).map(([key, value]) => ({ key, value }));
}

export interface RuleOptions {
  readonly when?: string;
  readonly attempts?: number;
  readonly backoff?: PolicyRule["backoff"];
  readonly delayMs?: number;
  readonly to?: string;
  readonly set?: Readonly<Record<string, Json>>;
}

export function rule(act: RuleAction, options: RuleOptions = {}): PolicyRule {
  const { set, ...given } = options;
  return {
    do: act,
    attempts: 3,
    backoff: "none",
    delayMs: 1_000,
    ...given,
    set: entries(set ?? {}),
  };
}

export interface CommandOptions {
  readonly step?: string;
  readonly visit?: number;
  readonly attempt?: number;
  readonly scope?: JsonObject;
  readonly iteration?: IterationBinding;
  readonly timeoutMs?: number;
  readonly leaseMs?: number;
  readonly execution?: string;
}

export function command(tasks: readonly TaskSpec[], options: CommandOptions = {}): WorkerCommand {
  const { step = "work", visit = 1, attempt = 1, scope = {}, iteration, timeoutMs } = options;
  const execution = executionId(options.execution ?? testExecution);
  return {
    command_id: commandId(execution, step, visit, iteration?.index),
    execution_id: execution,
    catalog_id: catalogId("100000000000000002"),
    path: "examples/work",
    step,
    visit,
    attempt,
    kind: tasks.length === 1 ? (tasks[0]?.kind ?? "tool") : "pipeline",
    pool: "default",
    lease_ms: options.leaseMs ?? leaseMs,
    ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }),
    tasks,
    scope,
    ...(iteration === undefined ? {} : { iteration }),
  };
}

export function tool(
  run: (config: JsonObject, context: ToolContext) => Promise<Output> | Output,
  kind = "tool",
): Tool {
  return { kind, run: async (config, context) => run(config, context) };
}

/** A tool that gives the outputs in order, the last one for ever, and keeps its calls. */
export function scriptedTool(...outputs: readonly Output[]): Tool & {
  readonly calls: { readonly config: JsonObject; readonly context: ToolContext }[];
} {
  const calls: { readonly config: JsonObject; readonly context: ToolContext }[] = [];
  return {
    kind: "tool",
    calls,
    run: async (config, context) => {
      const output = outputs[Math.min(calls.length, outputs.length - 1)];
      calls.push({ config, context });
      return output ?? { status: "ok", data: null };
    },
  };
}

/** A tool that answers each call with the config it was given. */
export function echoTool(kind = "tool"): Tool {
  return tool((config) => ({ status: "ok", data: config }), kind);
}

export const ok = (data: Json): Output => ({ status: "ok", data });

export const failed = (kind = "http", retryable = true): Output => ({
  status: "error",
  error: { kind, message: `${kind} failed`, retryable },
});

/** A control plane that is asked for nothing; what is given here takes the place of a refusal. */
export function quietControl(given: Partial<ControlPlane> = {}): ControlPlane {
  const unexpected = (what: string) => async (): Promise<never> => {
    throw new Error(`nobody should ask to ${what}`);
  };
  return {
    claim: unexpected("claim"),
    // Nobody can stand by here: workers have all their slots for what they ask for.
    standby: async () => ({ commands: [], againMs: 86_400_000 }),
    settle: unexpected("settle"),
    renew: unexpected("renew"),
    release: unexpected("release"),
    putResult: unexpected("store a result"),
    resolveResult: unexpected("resolve a result"),
    credential: unexpected("read a credential"),
    keychain: unexpected("read an entry of the keychain"),
    secret: unexpected("read a secret"),
    callbackToken: unexpected("make a token"),
    ...given,
  };
}

export function testServices(given: Partial<WorkerServices> = {}): WorkerServices {
  return {
    control: quietControl(),
    clock: virtualClock(),
    tools: givenTools([echoTool()]),
    policy: { shell: false, fileRoots: [] },
    workerId: "worker-1",
    templates: templateCache(),
    log: {},
    defer: (run) => void setImmediate(run),
    random: () => 1,
    ...given,
  };
}

/** Runs a command by itself with these tools. */
export function outcomeOf(
  of: WorkerCommand,
  tools: readonly Tool[] = [echoTool()],
  given: Partial<WorkerServices> = {},
): Promise<Outcome> {
  const services = testServices({ tools: givenTools(tools), ...given });
  const nowMs = services.clock.nowMs();
  return runCommand(new CommandRun(of, nowMs, nowMs + of.lease_ms), services);
}
