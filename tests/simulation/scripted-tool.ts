// A tool that does what its input says, and the world outside that remembers each of its effects.
// It takes the place of `python`: the playbook's code is never looked at.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import type { Tool, ToolContext } from "#worker/tools/tool";
import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { Violation } from "./record.ts";
import type { Timeline } from "./timeline.ts";

/** What the outside world has been asked, by idempotency key. */
export interface Effects {
  /** How often this very call was made, this time included. */
  made(key: string, context: ToolContext): number;
  /** Command and label by key. */
  readonly byKey: ReadonlyMap<string, string>;
  commands(): ReadonlySet<string>;
  readonly problems: readonly string[];
}

export function effects(): Effects {
  const byKey = new Map<string, string>();
  const keys = new Map<string, string>();
  const counts = new Map<string, number>();
  const commands = new Set<string>();
  const problems: string[] = [];
  return {
    byKey,
    problems,
    commands: () => commands,
    made: (key, { commandId, label }) => {
      const call = `${commandId} ${label}`;
      const other = byKey.get(key) ?? call;
      if (other !== call) problems.push(`key ${key} stands for ${other} and for ${call}`);
      const otherKey = keys.get(call) ?? key;
      if (otherKey !== key) problems.push(`${call} has the keys ${otherKey} and ${key}`);
      byKey.set(key, call);
      keys.set(call, key);
      commands.add(commandId);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
  };
}

export interface ScriptedToolOptions {
  readonly owner: Process;
  readonly time: Timeline;
  readonly chance: Random;
  readonly faults: Faults;
  readonly outside: Effects;
  /** Whether the command was given to run with nothing beside it. */
  readonly isAlone: (context: ToolContext) => boolean;
  readonly fail: (violation: Violation) => void;
}

/**
 * Input: `value` is the data it gives; `fails`, how many calls fail before one works; `broken`, it
 * never works; `deadly`, it takes its worker with it; `bytes`, how large its data is made.
 */
export function scriptedTool(options: ScriptedToolOptions): Tool {
  const { owner, time, chance, faults, outside } = options;
  const running = new Set<ToolContext>();
  const run = async (config: JsonObject, context: ToolContext): Promise<Output> => {
    const input = isJsonObject(config["input"]) ? config["input"] : {};
    running.add(context);
    checkAlone(running, options);
    await owner.clock.sleep(takesMs(chance), context.signal);
    running.delete(context);
    if (context.signal.aborted) throw new Error("the call was stopped");
    const count = outside.made(context.idempotencyKey, context);
    time.note(owner.name, `calls ${context.commandId} of attempt ${context.attempt}`);
    if (input["deadly"] === true || faults.happens("worker crash")) {
      owner.kill(`in a call of ${context.commandId}`);
      return new Promise(() => {});
    }
    if (input["broken"] === true) return failed("it never works", false);
    if (count <= Number(input["fails"] ?? 0)) return failed(`call ${count} fails`, true);
    return { status: "ok", data: dataOf(input) };
  };
  return { kind: "python", run };
}

function checkAlone(running: ReadonlySet<ToolContext>, options: ScriptedToolOptions): void {
  const alone = [...running].find(options.isAlone);
  if (alone === undefined || running.size === 1) return;
  const message = `${alone.commandId} runs beside others on ${options.owner.name}`;
  options.fail(new Violation("alone", message));
}

function dataOf(input: JsonObject): Json {
  const value = input["value"] ?? null;
  const bytes = Number(input["bytes"] ?? 0);
  return bytes === 0 ? value : { value, filler: "x".repeat(bytes) };
}

function failed(message: string, retryable: boolean): Output {
  return { status: "error", error: { kind: "test", message, retryable } };
}

/** Mostly quick; now and then longer than a lease. */
function takesMs(chance: Random): number {
  const kind = chance.next();
  if (kind < 0.8) return chance.scale(1, 300);
  return kind < 0.95 ? chance.between(500, 6_000) : chance.between(8_000, 25_000);
}
