// The contract of a built-in tool: rendered config in, one outcome envelope out.

import type { IterationBinding } from "#core/model/command";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Failure, Output, ResultRef } from "#core/model/outcome";

export type LogStream = "stdout" | "stderr" | "log";

/** A credential as the control plane gives it out for a leased command. */
export interface Credential {
  readonly name: string;
  readonly type: string;
  readonly data: JsonObject;
}

/** What the worker's operator allows tools to do; everything else is denied. */
export interface ToolPolicy {
  readonly shell: boolean;
  /** Folders from which `script: {source: {type: file}}` and database files may come. */
  readonly fileRoots: readonly string[];
  /** Whether a request may be sent there, asked again at every redirect; anywhere without it. */
  readonly egress?: (url: URL) => boolean;
}

/** State that the tasks of one step share (an open DuckDB); closed when the command ends. */
export interface CommandResources {
  /** The resource under `key`, opened on first use. */
  use<Resource>(
    key: string,
    open: () => Promise<{ readonly value: Resource; close(): Promise<void> }>,
  ): Promise<Resource>;
}

export interface ToolContext {
  readonly executionId: ExecutionId;
  readonly commandId: CommandId;
  readonly step: string;
  readonly label: string;
  readonly attempt: number;
  /** The item or row that the call is for, of a loop. */
  readonly iteration?: IterationBinding;
  /** The same over all attempts of this call: what makes an external effect idempotent. */
  readonly idempotencyKey: string;
  /** What requests to others carry as `traceparent`. */
  readonly traceparent?: string;
  readonly workerId: string;
  /** Aborted when the lease is lost, the execution is cancelled or the deadline has passed. */
  readonly signal: AbortSignal;
  /** Milliseconds this call may take from now on; the tool's own `timeout` may only shorten it. */
  readonly timeoutMs: number;
  readonly policy: ToolPolicy;
  readonly resources: CommandResources;
  /** The values of the execution that the worker was given: python's `variables`. */
  readonly variables: JsonObject;
  log(stream: LogStream, text: string): void;
  credential(alias: string): Promise<Credential>;
  /** An entry of the playbook's keychain, or what the execution keeps like one. */
  keychain(name: string): Promise<Credential>;
  /**
   * Has a secret read and kept for the rest of the execution, under the name `as`.
   * @returns the names of its fields; the secret itself stays where it is.
   */
  secret(as: string, ask: JsonObject): Promise<readonly string[]>;
  /** By what a call that goes on elsewhere may tell of its end; empty where nothing asks for it. */
  callbackToken(): Promise<string>;
  /** The value behind a reference, fetched from its durable store. */
  resolveResult(ref: string): Promise<Json>;
  /** Stores a value and gives its reference. */
  putResult(name: string, value: Json): Promise<ResultRef>;
}

export interface Tool {
  readonly kind: string;
  /** Never rejects for what the outside world does: that is an output with status `error`. */
  run(config: JsonObject, context: ToolContext): Promise<Output>;
  /** Ends what the tool keeps warm (runner processes, pools). */
  close?(): Promise<void>;
}

/** How each kind of tool is had; loading one loads no other. */
export type ToolLoaders = Readonly<Record<string, () => Promise<Tool>>>;

/** Thrown inside a tool to end it with this failure; `run-command` makes the output of it. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";

  constructor(
    readonly failure: Failure,
    options: { readonly cause?: unknown } = {},
  ) {
    super(failure.message, options.cause === undefined ? {} : { cause: options.cause });
  }
}

/** Where a call goes on, and until when that is waited for. */
export interface ParkedCall {
  /** What the answer is addressed to; one of its kind in the execution. */
  readonly key: string;
  readonly timeoutMs: number;
  /** What is waited for, for people and for whoever checks the answer. */
  readonly about?: JsonObject;
}

/**
 * Thrown inside a tool whose call goes on elsewhere, holding no slot: the step ends when somebody
 * answers under the key. Only the tool of a command of one task may throw it.
 */
export class ToolParked extends Error {
  override readonly name = "ToolParked";

  constructor(readonly parked: ParkedCall) {
    super("the call goes on elsewhere");
  }
}
