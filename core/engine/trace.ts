// Which trace an execution belongs to: what its first event says of it decides, so that every
// replica and every replay names the same one.

import type { ExecutionId } from "#core/model/ids";
import type { Started } from "./state.ts";

/** The trace's id, 32 hexadecimal digits; undefined where the execution belongs to none. */
export function traceIdOf(_started: Started | undefined, _id: ExecutionId): string | undefined {
  return undefined;
}
