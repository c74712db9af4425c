// What decides when a command runs besides its age: its terms, and the rules that may hold it
// back. A rule's key says what it counts; a command is under a rule if one of its keys is the rule's.

import { claimCommandsMax, ruleRateMax, ruleRunningMax } from "./limits.ts";

/** What a command brings into the queue, beside its pool and age. */
export interface DispatchTerms {
  /** Higher goes first within a pool. */
  readonly priority: number;
  /** Whose it is: the tenants of a pool take turns. */
  readonly tenant: string;
  /** The playbook's path. */
  readonly playbook: string;
  /** The tool's kind. */
  readonly tool: string;
  /** What a worker must say of itself to be given it. */
  readonly labels: readonly string[];
}

export const tenantDefault = "default";

/** The pool of whatever asks for none. */
export const poolDefault = "default";

/** The pool of the platform's own playbooks, and of nothing else. */
export const systemPool = "system";

/** Playbooks of the platform itself live under this path; nobody registers one there from outside. */
export function isSystemPath(path: string): boolean {
  return path === "system" || path.startsWith("system/");
}

/** The terms of a command of which nothing is known. */
export const plainTerms: DispatchTerms = {
  priority: 0,
  tenant: tenantDefault,
  playbook: "",
  tool: "",
  labels: [],
};

/** At most `maxRunning` at a time, at most `perSecond` starts after a burst of `burst`. */
export interface DispatchRule {
  readonly key: string;
  readonly maxRunning?: number;
  readonly perSecond?: number;
  readonly burst?: number;
}

/** The keys that a command of these terms has, whether or not there is a rule for them. */
export function ruleKeys(
  pool: string,
  { playbook, tenant, tool }: DispatchTerms,
): readonly string[] {
  return [`playbook:${playbook}`, `pool:${pool}`, `tenant:${tenant}`, `tool:${tool}`];
}

const keyPattern = /^(?:pool|playbook|tenant|tool):[^\0]{1,500}$/u;

export function isRuleKey(text: string): boolean {
  return keyPattern.test(text) && text.isWellFormed();
}

/** What is wrong with a rule; undefined for one that can be kept. */
export function ruleProblem({
  key,
  maxRunning,
  perSecond,
  burst,
}: DispatchRule): string | undefined {
  if (!isRuleKey(key))
    return "expected a key like pool:NAME, playbook:PATH, tenant:NAME or tool:KIND";
  if (maxRunning === undefined && perSecond === undefined) {
    return "expected a maximum or a rate, found neither";
  }
  if (maxRunning !== undefined && !isCount(maxRunning, 0, ruleRunningMax)) {
    return `expected a maximum from 0 to ${ruleRunningMax}, found ${maxRunning}`;
  }
  if (perSecond !== undefined && !(perSecond > 0 && perSecond <= ruleRateMax)) {
    return `expected a rate above 0 and up to ${ruleRateMax} a second, found ${perSecond}`;
  }
  if (burst === undefined) return undefined;
  if (perSecond === undefined) return "expected a rate beside the burst, found none";
  return isCount(burst, 1, ruleRunningMax)
    ? undefined
    : `expected a burst from 1 to ${ruleRunningMax}, found ${burst}`;
}

function isCount(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** How many may start at once after a pause: said by the rule, or what one second brings. */
export function burstOf({ perSecond = 0, burst }: DispatchRule): number {
  return burst ?? Math.min(Math.max(1, Math.ceil(perSecond)), claimCommandsMax);
}
