// Faults as they cross a process boundary: `{error: {code, message, details}}` with the HTTP
// status that belongs to the code, and back.

import { Fault, type FaultCode } from "#core/model/fault";

const statusByCode: Readonly<Record<FaultCode, number>> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  limited: 429,
  cancelled: 409,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};

/** Every code that an answer may have, by rising status. */
export const faultCodes: readonly FaultCode[] = Object.keys(statusByCode)
  .filter(isFaultCode)
  .sort((a, b) => statusByCode[a] - statusByCode[b]);

export interface ProblemBody {
  readonly error: {
    readonly code: FaultCode;
    readonly message: string;
    readonly details?: unknown;
  };
}

export function statusOf(code: FaultCode): number {
  return statusByCode[code];
}

export function problemBody(fault: Fault): ProblemBody {
  const { code, message, details } = fault;
  return { error: { code, message, ...(details === undefined ? {} : { details }) } };
}

/** The fault that an answer with an error status stands for. */
export function faultOf(status: number, body: unknown): Fault {
  const error =
    typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
    const code = String(error.code);
    const details = "details" in error ? error.details : undefined;
    return new Fault(isFaultCode(code) ? code : codeOf(status), String(error.message), { details });
  }
  return new Fault(codeOf(status), `the server answered ${status}`);
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(statusByCode, code);
}

function codeOf(status: number): FaultCode {
  for (const [code, own] of Object.entries(statusByCode)) {
    if (own === status && isFaultCode(code)) return code;
  }
  if (status === 502 || status === 503) return "unavailable";
  return status >= 500 ? "internal" : "invalid";
}

/**
 * Parses JSON so that whole numbers whose digits a double can't keep stay as text: ids may come as
 * numbers from clients of other platforms. Every other number stays the number that it is.
 * @throws SyntaxError for text that isn't JSON.
 */
export function parseJsonExactly(text: string): unknown {
  return longNumber.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
}

/**
 * A number of 16 digits or more where a value may stand. Our own ids are quoted and don't match:
 * the reviver costs nine times the parse (6.1 µs against 0.7 for a settle).
 */
const longNumber = /(?:^|[[:,\s])-?\d{16}/;

type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

const exactNumber: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return /^-?\d+$/.test(source) && String(value) !== source ? source : value;
};
