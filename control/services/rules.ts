// Rules on how much may run: checked here, kept by the log, where claims decide by them.

import { type DispatchRule, isRuleKey, ruleProblem } from "#core/model/dispatch";
import { Fault, invariant } from "#core/model/fault";
import { rulesMax } from "#core/model/limits";
import type { RuleState } from "#core/ports/dispatch-rules";
import type { ControlContext } from "./context.ts";

/** @throws Fault `invalid` for a rule that can't hold, `too_large` when there are too many. */
export async function setRule({ log }: ControlContext, rule: DispatchRule): Promise<RuleState> {
  const problem = ruleProblem(rule);
  if (problem !== undefined) throw new Fault("invalid", problem);
  const known = await log.rules();
  const isNew = known.every((state) => state.rule.key !== rule.key);
  if (isNew && known.length >= rulesMax) {
    throw new Fault("too_large", `expected at most ${rulesMax} rules, found as many`);
  }
  await log.putRule(rule);
  const [state] = await log.rules([rule.key]);
  invariant(state !== undefined, `rule ${rule.key} is gone as soon as it was set`);
  return state;
}

/** @throws Fault `not_found`. */
export async function removeRule({ log }: ControlContext, key: string): Promise<void> {
  if (isRuleKey(key) && (await log.deleteRule(key))) return;
  throw new Fault("not_found", "there is no rule of this key");
}
