// What a task's outcome leads to: the first rule that matches, how long a retry waits, where a
// jump goes (language reference §1.5). Decides; the pipeline acts.

import type { PolicyRule, TaskPolicy, TaskSpec } from "#core/model/command";
import { unreachable } from "#core/model/fault";
import { policyDelayMsMax } from "#core/model/flow-limits";
import type { Failure, Output } from "#core/model/outcome";
import { failure } from "./failure-of.ts";

export type Step =
  /** Go on with the next task; an error is passed over knowingly. */
  | { readonly do: "next"; readonly delayMs?: number }
  | { readonly do: "retry"; readonly delayMs: number }
  /** End the command well with what there is. */
  | { readonly do: "end" }
  | { readonly do: "jump"; readonly index: number; readonly delayMs?: number }
  /** End the command with the task's own error, or with this one where it has none. */
  | { readonly do: "fail"; readonly error: Failure };

/** Names of the task before this one. */
const previousNames: ReadonlySet<string> = new Set(["previous", "prev", "_previous", "@previous"]);

/** How rules are asked, and what they set. */
export interface Judge {
  holds(when: string | undefined): boolean;
  apply(set: PolicyRule["set"]): void;
}

/**
 * The rule that acts, its values set. Exclusive: the first that matches. Inclusive: every rule that
 * matches sets its values, in order, and the first of them that does not just go on acts; one without
 * a condition counts only where none matched.
 */
export function actingRule(policy: TaskPolicy | undefined, judge: Judge): PolicyRule | undefined {
  if (policy?.inclusive === true) return inclusiveRule(policy, judge);
  const rule = policy?.rules.find(({ when }) => judge.holds(when));
  if (rule !== undefined) judge.apply(rule.set);
  return rule;
}

function inclusiveRule({ rules }: TaskPolicy, judge: Judge): PolicyRule | undefined {
  const matching: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.when === undefined || !judge.holds(rule.when)) continue;
    judge.apply(rule.set);
    matching.push(rule);
  }
  if (matching.length > 0) return matching.find((rule) => rule.do !== "continue") ?? matching[0];
  const last = rules.find(({ when }) => when === undefined);
  if (last !== undefined) judge.apply(last.set);
  return last;
}

export interface Judged {
  readonly tasks: readonly TaskSpec[];
  readonly index: number;
  readonly output: Output;
  /** From 1; grows with each retry of this label in this run of the command, not with jumps. */
  readonly attempt: number;
  /** From 1; grows each time that the pipeline comes to this label, and not with retries. */
  readonly visit: number;
}

/** What a task without a matching rule leads to: errors fail, unless its policy lets them pass. */
export function unmatched(policy: TaskPolicy | undefined, judged: Judged): Step {
  const { output } = judged;
  if (output.status === "ok" || policy?.onUnmatched === "continue") return { do: "next" };
  return { do: "fail", error: output.error ?? policyFailure(judged, "failed") };
}

export function matched(rule: PolicyRule, judged: Judged): Step {
  switch (rule.do) {
    case "continue":
      return { do: "next", ...delayOf(rule, judged) };
    case "break":
      return { do: "end" };
    case "fail":
      return {
        do: "fail",
        error: ownError(judged) ?? policyFailure(judged, "failed by its policy"),
      };
    case "jump":
      return jumped(rule, judged);
    case "retry":
      return retried(rule, judged);
    default:
      return unreachable(rule.do);
  }
}

/** `attempts: 3` means the first execution and two retries (language reference §1.5). */
function retried(rule: PolicyRule, judged: Judged): Step {
  const { attempt } = judged;
  if (attempt < rule.attempts) return { do: "retry", delayMs: retryDelayMs(rule, attempt) };
  const why = `was not as its policy wants it after ${attempt} attempts`;
  const exhausted = policyFailure(judged, why, "attempts_exhausted");
  return { do: "fail", error: ownError(judged) ?? exhausted };
}

/** A delay of going on or of a jump grows with the visits of its task. */
function delayOf(rule: PolicyRule, { visit }: Judged): { readonly delayMs?: number } {
  const delayMs = retryDelayMs(rule, visit);
  return delayMs === 0 ? {} : { delayMs };
}

/** @param retry which retry is waited for, from 1. */
export function retryDelayMs(rule: PolicyRule, retry: number): number {
  switch (rule.backoff) {
    case "none":
      return 0;
    case "constant":
      return Math.min(rule.delayMs, policyDelayMsMax);
    case "linear":
      return Math.min(rule.delayMs * retry, policyDelayMsMax);
    case "exponential":
      return Math.min(rule.delayMs * 2 ** (retry - 1), policyDelayMsMax);
    default:
      return unreachable(rule.backoff);
  }
}

function jumped(rule: PolicyRule, judged: Judged): Step {
  const { tasks, index } = judged;
  const to = rule.to ?? "";
  const target = previousNames.has(to) ? index - 1 : tasks.findIndex(({ label }) => label === to);
  if (target >= 0) return { do: "jump", index: target, ...delayOf(rule, judged) };
  const why = previousNames.has(to)
    ? "jumps to the task before it, but is the first one"
    : `jumps to ${to}, which is no task of this pipeline`;
  return { do: "fail", error: policyFailure(judged, why, "jump_target") };
}

function ownError({ output }: Judged): Failure | undefined {
  return output.status === "error" ? output.error : undefined;
}

function policyFailure({ tasks, index }: Judged, why: string, code?: string): Failure {
  const label = tasks[index]?.label ?? "";
  return failure("policy", `task ${label} ${why}`, code === undefined ? {} : { code });
}
