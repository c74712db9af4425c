// Rules on how much may run: kept beside the command rows, because a claim decides by them in the
// statement that leases. A fresh rule counts what runs already.

import type { DispatchRule } from "#core/model/dispatch";
import type { CommandId } from "#core/model/ids";

/** A command that runs under a rule. */
export interface RuleHolder {
  readonly commandId: CommandId;
  readonly worker: string;
  /** How long it has held its place. */
  readonly heldMs: number;
}

export interface RuleState {
  readonly rule: DispatchRule;
  /** Counted only where the rule has a maximum. */
  readonly running: number;
  /** The first of them, oldest first. */
  readonly holders: readonly RuleHolder[];
  /** Until the next may start; 0 when one may, absent without a rate. */
  readonly nextStartMs?: number;
}

export interface DispatchRules {
  /** All rules by key, or those of these keys. */
  rules(keys?: readonly string[]): Promise<readonly RuleState[]>;
  /** Sets a rule, or changes it at once. The rule has been checked. */
  putRule(rule: DispatchRule): Promise<void>;
  /** False when there was none. */
  deleteRule(key: string): Promise<boolean>;
}
