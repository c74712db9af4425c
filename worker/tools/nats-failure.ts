// What NATS or the way to it answered with, as a failure: codes for what rules may want to tell
// apart, no password in any text.

import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";

import { messageOf } from "#core/model/fault";
import { errorMessageCharsMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { ToolFailure } from "./tool.ts";

/** JetStream's own numbers for errors that have a name here. */
const apiCodes: Readonly<Record<number, string>> = {
  10014: "no_consumer",
  10059: "no_stream",
  10060: "wrong_stream",
  10071: "wrong_revision",
  10164: "wrong_revision",
  10039: "unsupported",
};

export type NatsCode =
  | "auth"
  | "no_bucket"
  | "no_consumer"
  | "no_stream"
  | "not_found"
  | "too_large"
  | "unsupported"
  | "wrong_revision";

export function natsFailure(code: NatsCode, message: string): ToolFailure {
  return new ToolFailure({ kind: "nats", code, message, retryable: false });
}

export interface NatsFailureOptions {
  /** The servers of the target, for messages. */
  readonly servers: readonly string[];
  readonly redact: (text: string) => string;
}

/** The failure for an error of the client; a ToolFailure is its own. */
export function natsFailureOf(error: unknown, options: NatsFailureOptions): Failure {
  if (error instanceof ToolFailure) return error.failure;
  const where = `nats at ${options.servers.join(", ")}`;
  const text = options.redact(messageOf(error)).slice(0, errorMessageCharsMax);
  const failure = (code: string, message: string): Failure => ({
    kind: "nats",
    code,
    message,
    retryable: false,
  });
  if (isRefused(error)) return failure("auth", `${where} refused the credentials: ${text}`);
  if (error instanceof Error && error.name === "JetStreamNotEnabled") {
    return failure("unsupported", `${where} has no JetStream: ${text}`);
  }
  if (error instanceof JetStreamApiError) {
    // Codes from 500 on are the server's own trouble, such as a cluster without a leader.
    const retryable = error.status >= 500;
    return { ...failure(apiCodes[error.code] ?? String(error.code), text), retryable };
  }
  if (isNobodyThere(error))
    return failure("no_stream", `no stream of ${where} takes this: ${text}`);
  if (error instanceof errors.TimeoutError) {
    const message = `${where} did not answer in time`;
    return { kind: "timeout", code: "timeout", message, retryable: true };
  }
  if (error instanceof errors.InvalidArgumentError || isBadName(error)) {
    return { kind: "config", message: text, retryable: false };
  }
  return { kind: "connection", message: `cannot use ${where}: ${text}`, retryable: true };
}

function isRefused(error: unknown): boolean {
  return (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.PermissionViolationError ||
    error instanceof errors.UserAuthenticationExpiredError ||
    (error instanceof Error && error.cause instanceof errors.AuthorizationError)
  );
}

/** A publish that no stream listens to. */
function isNobodyThere(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  if (error instanceof errors.RequestError) return error.isNoResponders();
  return error instanceof Error && error.cause instanceof errors.NoRespondersError;
}

function isBadName(error: unknown): boolean {
  return (
    error instanceof Error && /^invalid (?:key|bucket|name|stream|subject)/i.test(error.message)
  );
}
