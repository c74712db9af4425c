// Compiles the cursor of a loop: what claims its rows, frame by frame. The check refuses playbooks
// that have one, so that nothing is compiled as yet.

import type { TaskSpec } from "#core/model/command";
import { invariant } from "#core/model/fault";
import type { Json } from "#core/model/json";
import type { LoopDocument } from "./document.ts";
import type { PlanField } from "./plan.ts";

export interface PlanCursor {
  /** The kind of the tool that claims. */
  readonly driver: string;
  readonly claim: TaskSpec;
  /** Fields of the claim that the engine renders; their pointers begin with `/claim`. */
  readonly fields: readonly PlanField[];
}

/** @throws InvariantViolation always: a loop with a cursor was not checked. */
export function compileCursor(loop: LoopDocument): PlanCursor {
  const kind: Json | undefined = loop.cursor?.kind;
  invariant(false, `a loop over a ${String(kind)} cursor was not checked`);
}
