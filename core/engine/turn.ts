// What one turn of the engine works on.

import type { Plan } from "#core/playbook/plan";
import type { Facts } from "./facts.ts";
import type { Journal } from "./journal.ts";
import type { ExecutionState } from "./state.ts";

export interface Turn {
  readonly plan: Plan;
  readonly state: ExecutionState;
  readonly facts: Facts;
  readonly journal: Journal;
}
