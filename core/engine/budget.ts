// How much of what outcomes and answers bring a state holds itself: beyond its budget it keeps a
// summary, and where in the log the value stands.

import { extractedBytesMax, stateInlineBytesMax } from "#core/model/limits";
import type { Output, ResultRef } from "#core/model/outcome";
import { eventReference } from "#core/model/references";
import { summarise } from "#core/model/summary";
import type { ExecutionState } from "./state.ts";

/** Where an event stands in the log, and how long its text is. */
export interface Place {
  readonly seq: number;
  readonly bytes: number;
}

export interface Budgeted {
  readonly output: Output;
  /** What the state now holds of it; to be counted by whoever keeps it. */
  readonly inlineBytes: number;
}

/** The output of the event at this place, as the state is to hold it. */
export function withinBudget(state: ExecutionState, output: Output, place: Place): Budgeted {
  const { data, ...rest } = output;
  const fits = state.inlineBytes + place.bytes <= stateInlineBytesMax;
  if (fits || data === undefined || place.bytes <= extractedBytesMax) {
    return { output, inlineBytes: place.bytes };
  }
  const ref: ResultRef = {
    kind: "result_ref",
    ref: eventReference(state.executionId, place.seq),
    store: "log",
    scope: "execution",
    meta: { bytes: place.bytes, media_type: "application/json" },
    extracted: summarise(data),
  };
  return { output: { ...rest, ref }, inlineBytes: 0 };
}
