// The audit log as services write to it: who did what to which object.

import type { ControlContext } from "#control/services/context";
import type { Principal } from "#core/model/access";
import type { JsonObject } from "#core/model/json";

export interface Audited {
  /** `<noun>.<verb>`: `credential.put`. */
  readonly action: string;
  /** `<kind>/<id>`: `credential/warehouse`. */
  readonly object: string;
  readonly outcome?: "done" | "refused";
  /** What else is worth knowing; never a secret. */
  readonly about?: JsonObject;
}

/** Resolves when the entry is stored. */
export async function audited(
  _context: ControlContext,
  _who: Principal,
  _entry: Audited,
): Promise<void> {}
