// The nats tool: keys, objects and streams of JetStream, one operation a call, over connections
// that are kept warm. What the server refuses is an outcome with a code that rules can read.

import { jetstreamManager } from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/transport-node";

import { natsRequestMs } from "#core/model/data-tool-limits";
import type { JsonObject } from "#core/model/json";
import { failureOutput, type Output } from "#core/model/outcome";
import { redactor } from "./auth.ts";
import {
  configFailure,
  type Deadline,
  numberField,
  textField,
  withDeadline,
} from "./call-config.ts";
import {
  type NatsConnections,
  type NatsTarget,
  natsConnections,
  natsTarget,
} from "./nats-connections.ts";
import { natsFailureOf } from "./nats-failure.ts";
import { kvDelete, kvGet, kvKeys, kvPurge, kvPut } from "./nats-kv.ts";
import { objectDelete, objectGet, objectInfo, objectList, objectPut } from "./nats-objects.ts";
import type { NatsOperation } from "./nats-operation.ts";
import { jsConsume, jsGetMessage, jsPublish, jsStreamInfo } from "./nats-streams.ts";
import { natsEncoding } from "./nats-values.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

const operations: ReadonlyMap<string, NatsOperation> = new Map([
  ["kv_get", kvGet],
  ["kv_put", kvPut],
  ["kv_delete", kvDelete],
  ["kv_purge", kvPurge],
  ["kv_keys", kvKeys],
  ["object_get", objectGet],
  ["object_put", objectPut],
  ["object_delete", objectDelete],
  ["object_list", objectList],
  ["object_info", objectInfo],
  ["js_publish", jsPublish],
  ["js_consume", jsConsume],
  ["js_get_msg", jsGetMessage],
  ["js_stream_info", jsStreamInfo],
]);

/** Data: `{status: success|not_found, …}`, by operation (language reference §2.2). */
export function natsTool(): Tool {
  const connections = natsConnections();
  return {
    kind: "nats",
    run: (config, context) =>
      withDeadline(config, context, (deadline) => call(connections, { config, context, deadline })),
    close: () => connections.close(),
  };
}

interface Call {
  readonly config: JsonObject;
  readonly context: ToolContext;
  readonly deadline: Deadline;
}

async function call(connections: NatsConnections, made: Call): Promise<Output> {
  const { config, context, deadline } = made;
  const operation = operationOf(config);
  const { target, secrets } = await natsTarget(config, context);
  const asked = numberField(config, "timeout_ms")?.value ?? natsRequestMs;
  if (asked <= 0) throw configFailure(`timeout_ms: expected milliseconds above 0, found ${asked}`);
  const timeoutMs = Math.ceil(Math.min(asked, deadline.timeoutMs));
  const encoding = natsEncoding(textField(config, "encoding")?.value);
  const failed = (error: unknown): Output =>
    failureOutput(natsFailureOf(error, { servers: target.servers, redact: redactor(secrets) }));
  try {
    const data = await leased(connections, { target, deadline }, async (connection) => {
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: timeoutMs });
      return operation({ config, connection, manager, context, timeoutMs, encoding });
    });
    return { status: "ok", data };
  } catch (error) {
    if (error instanceof ToolFailure && error.failure.kind !== "nats") throw error;
    return failed(error);
  }
}

function operationOf(config: JsonObject): NatsOperation {
  const name = textField(config, "operation")?.value;
  const operation = operations.get(name ?? "");
  if (operation !== undefined) return operation;
  const known = [...operations.keys()].join(", ");
  throw configFailure(`operation: expected one of ${known}, found ${name ?? "nothing"}`);
}

interface Leased {
  readonly target: NatsTarget;
  readonly deadline: Deadline;
}

/**
 * Runs the work on a connection, until the deadline: a server that says nothing holds nobody
 * longer, and its connection is not used again.
 */
async function leased<Result>(
  connections: NatsConnections,
  { target, deadline }: Leased,
  work: (connection: NatsConnection) => Promise<Result>,
): Promise<Result> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  ended.catch(() => undefined);
  const abort = () => reject(deadline.ended());
  if (deadline.signal.aborted) abort();
  deadline.signal.addEventListener("abort", abort, { once: true });
  const leasing = connections.lease(target);
  try {
    const lease = await Promise.race([leasing, ended]);
    const result = await Promise.race([work(lease.connection), ended]);
    lease.release();
    return result;
  } catch (error) {
    const discard = deadline.signal.aborted || error instanceof errors.TimeoutError;
    leasing.then((lease) => lease.release({ discard })).catch(() => undefined);
    throw error;
  } finally {
    deadline.signal.removeEventListener("abort", abort);
  }
}
