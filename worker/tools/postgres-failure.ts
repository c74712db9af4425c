// Makes an outcome of what PostgreSQL or the way to it answered with: SQLSTATE errors with their
// parts, broken connections without the address's secrets.

import type { JsonObject } from "#core/model/json";
import { errorMessageCharsMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { type PostgresTarget, targetName } from "./postgres-target.ts";

/** Codes after which the same statement may succeed: PostgreSQL's appendix A, error codes. */
const retryableCodes = new Set(["40001", "40P01", "57P01", "57P02", "57P03"]);

function isRetryable(sqlstate: string): boolean {
  // 08: connection exceptions; 53: insufficient resources, such as too many connections.
  return retryableCodes.has(sqlstate) || sqlstate.startsWith("08") || sqlstate.startsWith("53");
}

const parts = ["severity", "detail", "hint", "schema", "table", "column", "constraint"] as const;

function textOf(error: object, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function sqlstateOf(error: object): string | undefined {
  const code = textOf(error, "code");
  const fromServer = textOf(error, "severity") !== undefined;
  return fromServer && code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** True for errors that mean the connection is gone, not that the server refused a statement. */
export function isBroken(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const sqlstate = sqlstateOf(error);
  return sqlstate === undefined || sqlstate.startsWith("57P") || sqlstate.startsWith("08");
}

export interface PostgresFailureOptions {
  readonly target: PostgresTarget;
  readonly redact: (text: string) => string;
  /** Characters that stood before the statement's own text in what the server was sent. */
  readonly prefixChars?: number;
}

/** The output for an error of the client: `pg` failures carry their parts beside the message. */
export function postgresFailure(error: unknown, options: PostgresFailureOptions): Output {
  const about = typeof error === "object" && error !== null ? error : {};
  const sqlstate = sqlstateOf(about);
  return sqlstate === undefined
    ? connectionOutput(about, options)
    : serverOutput(about, sqlstate, options);
}

function serverOutput(
  error: object,
  sqlstate: string,
  { redact, prefixChars = 0 }: PostgresFailureOptions,
): Output {
  const pg: Record<string, string | number> = { code: sqlstate, sqlstate };
  for (const name of parts) {
    const text = textOf(error, name);
    if (text !== undefined) pg[name] = redact(text).slice(0, errorMessageCharsMax);
  }
  const position = Number(textOf(error, "position"));
  if (position > prefixChars) pg["position"] = position - prefixChars;
  const message = redact(textOf(error, "message") ?? "unknown error");
  return {
    status: "error",
    error: {
      kind: "pg",
      code: sqlstate,
      message: message.slice(0, errorMessageCharsMax),
      retryable: isRetryable(sqlstate),
    },
    pg: pg satisfies JsonObject,
  };
}

const permanent = /certificate|CERT|does not support SSL|ENOENT|SASL|password must be/i;

function connectionOutput(error: object, { target, redact }: PostgresFailureOptions): Output {
  const code = textOf(error, "code");
  const reason = code ?? textOf(error, "message") ?? "unknown error";
  const retryable = !permanent.test(`${code} ${textOf(error, "message")}`);
  return {
    status: "error",
    error: {
      kind: "connection",
      message: `cannot use ${targetName(target)}: ${redact(reason)}`,
      retryable,
      ...(code === undefined ? {} : { code }),
    },
  };
}
