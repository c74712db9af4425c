// Claims messages of a JetStream consumer as the rows of a frame. They are acknowledged once the
// frame stands in the log: that says who has them, and a message that comes again is worked on under
// the key it had before.

import {
  AckPolicy,
  type Consumer,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { messageAckWaitMs } from "#core/model/cursor-limits";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Failure } from "#core/model/outcome";
import { redactor } from "#worker/tools/auth";
import { type Deadline, textField, withDeadline } from "#worker/tools/call-config";
import { natsConnections, natsTarget } from "#worker/tools/nats-connections";
import { natsFailureOf } from "#worker/tools/nats-failure";
import { type Claim, type Claimed, claimEvaluation, claimTask, tried } from "./cursor-claim.ts";
import { fetched, type Message } from "./cursor-nats-messages.ts";
import type { FrameRows } from "./cursor-rows.ts";
import { failureOf } from "./failure-of.ts";
import { filledConfig } from "./filled-config.ts";
import { toolContext } from "./tool-context.ts";

export interface MessageClaim {
  claim(): Promise<Claimed>;
  /** Keeps the fetched messages from being given to others while `work` is under way. */
  holding<Value>(work: () => Promise<Value>): Promise<Value>;
  /** Says that the rows stand in the log; twice does no harm. */
  acknowledge(rows: readonly Json[]): Promise<void>;
  /** The rows with what their messages are known by, whenever they come. */
  keyed(rows: readonly Json[]): FrameRows;
  close(): Promise<void>;
}

/** What one frame needs of NATS; nothing is connected before it is asked for something. */
export async function messageClaim(claim: Claim): Promise<MessageClaim> {
  const { services, frame } = claim;
  const { using, close } = session(claim);
  let held: readonly Message[] = [];

  const claimOnce = (): Promise<Claimed> =>
    using(async (connection, bound) => {
      held = await fetched(await consumerOf(connection, bound), {
        rowsMax: frame.settings.max_rows,
        bytesMax: frame.settings.max_bytes,
        // A claim that finds nothing ends a little before its time is over, instead of failing.
        endsAtMs: bound.deadline.endsAtMs - fetchMarginMs,
      });
      return { rows: held.map(({ row }) => row) };
    });

  const acknowledge = async (rows: readonly Json[]): Promise<void> => {
    const said = await using(async (connection) => {
      for (const reply of rows.map(replyOf)) {
        if (reply !== undefined) connection.publish(reply, "+ACK");
      }
      await connection.flush();
      return { rows: [] };
    });
    // They come again, under the keys they had.
    if ("error" in said) services.log.notice?.(`${frame.key}: ${said.error.message}`);
  };

  return {
    claim: () => tried(claim, claimOnce),
    holding: (work) => holding(held, frame.settings.heartbeat_seconds * 1_000, work),
    acknowledge,
    keyed: (rows) => ({ rows, keys: rows.map(messageKey) }),
    close,
  };
}

interface Session {
  /** On a connection, as long as one claim may take; whatever is thrown comes back as a failure. */
  using(work: (connection: NatsConnection, bound: Bound) => Promise<Claimed>): Promise<Claimed>;
  close(): Promise<void>;
}

function session(claim: Claim): Session {
  const { run, services, resources, frame } = claim;
  const task = claimTask(frame);
  const evaluation = claimEvaluation(claim, 1);
  const call = { task, attempt: 1, ordinal: 0, evaluation };
  const context = toolContext({ run, call, services, resources });
  const connections = natsConnections();
  const using: Session["using"] = async (work) => {
    let failed = (thrown: unknown): Failure => failureOf(thrown, `step ${run.command.step}`);
    try {
      const config = await filledConfig(task, run, evaluation, services);
      const { target, secrets } = await natsTarget(config, context);
      const shown = { servers: target.servers, redact: redactor(secrets) };
      failed = (thrown) => natsFailureOf(thrown, shown);
      return await withDeadline(config, context, async (deadline) => {
        const { connection } = await unlessEnded(connections.lease(target), deadline);
        return await unlessEnded(work(connection, { config, deadline }), deadline);
      });
    } catch (thrown) {
      return { error: failed(thrown) };
    }
  };
  return { using, close: () => connections.close() };
}

const fetchMarginMs = 500;

interface Bound {
  readonly config: JsonObject;
  readonly deadline: Deadline;
}

/** A server that says nothing holds a claim no longer than its time. */
async function unlessEnded<Value>(work: Promise<Value>, { signal, ended }: Deadline) {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(ended());
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  // Whichever loses is nobody's any more.
  work.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const consumerMissing = 10_014;

/** The durable consumer of that name, made with explicit acknowledgements where there is none. */
async function consumerOf(
  connection: NatsConnection,
  { config, deadline }: Bound,
): Promise<Consumer> {
  const stream = textField(config, "stream")?.value ?? "";
  const name = textField(config, "consumer")?.value ?? "";
  const subject = textField(config, "subject")?.value;
  const timeout = Math.min(deadline.timeoutMs, requestMsMax);
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout });
  const known = await manager.consumers.info(stream, name).catch((thrown: unknown) => {
    if (thrown instanceof JetStreamApiError && thrown.code === consumerMissing) return undefined;
    throw thrown;
  });
  if (known === undefined) {
    await manager.consumers.add(stream, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: messageAckWaitMs * 1_000_000,
      ...(subject === undefined ? {} : { filter_subject: subject }),
    });
  }
  return jetstream(connection, { timeout }).consumers.get(stream, name);
}

const requestMsMax = 5_000;

async function holding<Value>(
  messages: readonly Message[],
  everyMs: number,
  work: () => Promise<Value>,
): Promise<Value> {
  const timer = setInterval(
    () => {
      for (const message of messages) message.hold();
    },
    Math.min(everyMs, messageAckWaitMs / 2),
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Rows were made by `fetched`; a reply that is no acknowledgement of JetStream is left alone. */
function replyOf(row: Json): string | undefined {
  const reply = isJsonObject(row) ? row._ack : undefined;
  return typeof reply === "string" && reply.startsWith("$JS.ACK.") ? reply : undefined;
}

function messageKey(row: Json): string {
  const { stream, seq } = isJsonObject(row) ? row : {};
  return `${String(stream)}:${String(seq)}`;
}
