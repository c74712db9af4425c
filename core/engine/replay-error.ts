// What the fold throws for an event that can't follow what the log holds.

/** An event that can't follow what the log holds: damage or a bug, never bad input. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
}
