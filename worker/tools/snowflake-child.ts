// The process in which Snowflake's client runs, one call at a time. What the client throws out of a
// callback ends this process at most, and is told to the worker before.

import type { Failure } from "#core/model/outcome";
import { redactor } from "./auth.ts";
import { dieWithWorker } from "./die-with-worker.ts";
import { runSession, type StatementResult, unreadable } from "./snowflake-client.ts";
import type { SnowflakeCall } from "./snowflake-config.ts";
import { ToolFailure } from "./tool.ts";

export type SnowflakeRequest =
  | { readonly kind: "call"; readonly call: SnowflakeCall }
  /** The call's time is over: its statement is ended on the server, then its session. */
  | { readonly kind: "stop" };

export type SnowflakeReply =
  | { readonly kind: "results"; readonly results: readonly StatementResult[] }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** The client threw where nobody could catch it; the process must not be used again. */
  | { readonly kind: "broken"; readonly failure: Failure };

interface OpenCall {
  readonly stopping: AbortController;
  readonly redact: (text: string) => string;
}

/** Serves calls that arrive over the process's IPC channel until the channel closes. */
export async function serveSnowflake(): Promise<void> {
  await dieWithWorker();
  let open: OpenCall | undefined;
  const post = (reply: SnowflakeReply): void => {
    open = undefined;
    process.send?.(reply);
  };
  const broken = (error: unknown): void => {
    // Without a call the worker takes the end of the process for what it is.
    if (open === undefined) process.exit(1);
    post({ kind: "broken", failure: unreadable(error, open.redact) });
  };
  process.on("uncaughtException", broken);
  process.on("unhandledRejection", broken);
  const serve = async (call: SnowflakeCall): Promise<void> => {
    const own: OpenCall = { stopping: new AbortController(), redact: redactor(call.secrets) };
    open = own;
    const reply = await replyTo(call, own);
    // The worker has heard of another end already.
    if (open === own) post(reply);
  };
  const closed = Promise.withResolvers<void>();
  process.on("message", (request: SnowflakeRequest) => {
    if (request.kind === "call") void serve(request.call);
    else open?.stopping.abort();
  });
  process.on("disconnect", () => closed.resolve());
  await closed.promise;
  process.exit(0);
}

async function replyTo(
  call: SnowflakeCall,
  { stopping, redact }: OpenCall,
): Promise<SnowflakeReply> {
  const { signal } = stopping;
  const ended = (): ToolFailure | undefined => {
    if (!signal.aborted) return undefined;
    const message = "the call was stopped";
    return new ToolFailure({ kind: "cancelled", message, retryable: false });
  };
  try {
    return { kind: "results", results: await runSession(call, { signal, ended }) };
  } catch (error) {
    if (error instanceof ToolFailure) return { kind: "failed", failure: error.failure };
    return { kind: "failed", failure: unreadable(error, redact) };
  }
}
