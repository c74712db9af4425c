// Faults: operating errors that are thrown, with a closed list of codes. A failure (the bad
// outcome of a tool) is data, see outcome.ts; a broken assumption of our own code is a bug.

export type FaultCode =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "too_large"
  | "limited"
  | "cancelled"
  | "unavailable"
  | "timeout"
  | "internal";

/** Whether doing the same again later may help; decided by the code alone. */
const retryableByCode: Readonly<Record<FaultCode, boolean>> = {
  invalid: false,
  unauthenticated: false,
  forbidden: false,
  not_found: false,
  conflict: false,
  too_large: false,
  limited: true,
  cancelled: false,
  unavailable: true,
  timeout: true,
  internal: false,
};

export interface FaultOptions {
  /** Shown to the caller beside the message; never a secret. */
  readonly details?: unknown;
  readonly cause?: unknown;
}

export class Fault extends Error {
  override readonly name = "Fault";
  readonly details: unknown;

  constructor(
    readonly code: FaultCode,
    message: string,
    options: FaultOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.details = options.details;
  }

  get retryable(): boolean {
    return retryableByCode[this.code];
  }
}

export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** States what must hold here. A violation is a bug: it is never retried nor recorded. */
export function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new InvariantViolation(why);
}

/** The end of a switch over a closed union: a new member fails to compile here. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`no case for ${JSON.stringify(value)}`);
}

/** The text of anything that was thrown, for messages; never used to decide. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
