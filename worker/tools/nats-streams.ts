// The stream operations of the nats tool: publish once per call, take a bounded batch, look at one
// message or at the stream itself.

import { AckPolicy, type ConsumerInfo, type JsMsg, jetstream } from "@nats-io/jetstream";
import { type MsgHdrs, headers as newHeaders } from "@nats-io/transport-node";

import { natsBatchMax } from "#core/model/data-tool-limits";
import type { JsonObject } from "#core/model/json";
import { resultBytesMax } from "#core/model/limits";
import {
  configFailure,
  field,
  flagField,
  objectField,
  scalarText,
  textField,
} from "./call-config.ts";
import { natsFailure } from "./nats-failure.ts";
import {
  checkSize,
  type NatsCall,
  type NatsOperation,
  neededText,
  noConsumerCode,
  payload,
  unlessMissing,
  wholeNumber,
} from "./nats-operation.ts";
import { natsValue } from "./nats-values.ts";
import { ToolFailure } from "./tool.ts";

/** Shorter waits for messages the client refuses. */
const waitMsMin = 1_000;
const messageId = "Nats-Msg-Id";

export const jsPublish: NatsOperation = async (call) => {
  const subject = neededText(call, "subject");
  const bytes = payload(call, "data", "value");
  checkSize(call, bytes);
  const headers = publishHeaders(call);
  const stream = textField(call.config, "stream")?.value;
  const publishing = jetstream(call.connection).publish(subject, bytes, {
    timeout: call.timeoutMs,
    headers,
    ...(stream === undefined ? {} : { expect: { streamName: stream } }),
  });
  const done = await publishing.catch((error) => {
    throw isUntaken(error, call) ? natsFailure("no_stream", `no stream takes ${subject}`) : error;
  });
  return {
    status: "success",
    stream: done.stream,
    subject,
    seq: done.seq,
    duplicate: done.duplicate,
  };
};

/** A subject that nobody listens to looks to the client like a server without streams. */
function isUntaken(error: unknown, { connection }: NatsCall): boolean {
  const isSo = error instanceof Error && error.name === "JetStreamNotEnabled";
  return isSo && connection.info?.jetstream === true;
}

/** Every attempt of a call is the same message, unless the playbook says which one it is. */
function publishHeaders(call: NatsCall): MsgHdrs {
  const headers = newHeaders();
  const given = objectField(call.config, "headers")?.value ?? {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const text = scalarText(value);
    if (text === undefined) throw configFailure(`headers.${name}: expected text`);
    headers.set(name, text);
  }
  const isNamed = Object.keys(given).some((name) => name.toLowerCase() === "nats-msg-id");
  if (!isNamed) headers.set(messageId, call.context.idempotencyKey);
  return headers;
}

export const jsConsume: NatsOperation = async (call) => {
  const stream = neededText(call, "stream");
  const batch = wholeNumber(call, "batch", 1) ?? 1;
  if (batch > natsBatchMax) {
    throw configFailure(`batch: expected 1 to ${natsBatchMax} messages, found ${batch}`);
  }
  const info = await consumerOf(call, stream);
  const consumer = await jetstream(call.connection).consumers.get(stream, info.name);
  const taken: JsMsg[] = [];
  let bytes = 0;
  const wait = Math.max(call.timeoutMs, waitMsMin);
  for await (const message of await consumer.fetch({ max_messages: batch, expires: wait })) {
    bytes += message.data.length;
    if (bytes > resultBytesMax) throw tooMuch();
    taken.push(message);
  }
  const messages = taken.map((message) => shownMessage(message, call));
  // Acknowledged only now that all of it is in hand; the flush makes sure that the server has it.
  if (flagField(call.config, true, "ack")) {
    for (const message of taken) message.ack();
    await call.connection.flush();
  }
  return { status: "success", stream, consumer: info.name, messages, count: messages.length };
};

async function consumerOf(call: NatsCall, stream: string): Promise<ConsumerInfo> {
  const name = neededText(call, "consumer");
  const found = await unlessMissing(call.manager.consumers.info(stream, name), noConsumerCode);
  if (found !== undefined) return found;
  if (!flagField(call.config, false, "create")) {
    throw natsFailure(
      "no_consumer",
      `no consumer ${name} of stream ${stream}; create: true makes it`,
    );
  }
  const subject = textField(call.config, "subject")?.value;
  return call.manager.consumers.add(stream, {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ...(subject === undefined ? {} : { filter_subject: subject }),
  });
}

function shownMessage(message: JsMsg, call: NatsCall): JsonObject {
  const { value, encoding } = natsValue(message.data, call.encoding);
  return {
    subject: message.subject,
    seq: message.seq,
    data: value,
    encoding,
    headers: shownHeaders(message.headers),
    timestamp: message.timestamp,
    redelivered: message.redelivered,
  };
}

function shownHeaders(headers: MsgHdrs | undefined): JsonObject {
  const names = headers?.keys() ?? [];
  return Object.fromEntries(names.map((name) => [name, headers?.get(name) ?? ""]));
}

export const jsGetMessage: NatsOperation = async (call) => {
  const stream = neededText(call, "stream");
  const seq = wholeNumber(call, "seq", 1);
  const query = seq === undefined ? { last_by_subj: lastSubject(call) } : { seq };
  const message = await call.manager.streams.getMessage(stream, query);
  if (message === null) return { status: "not_found", stream, data: null };
  const { value, encoding } = natsValue(message.data, call.encoding);
  return {
    status: "success",
    stream,
    subject: message.subject,
    seq: message.seq,
    data: value,
    encoding,
    headers: shownHeaders(message.header),
    timestamp: message.timestamp,
  };
};

/** `last: orders.new`, or `last: true` beside a subject. */
function lastSubject(call: NatsCall): string {
  const last = field(call.config, "last")?.value;
  if (typeof last === "string" && last !== "true") return last;
  if (last === true || last === "true") return neededText(call, "subject");
  throw configFailure("seq: expected seq, or last with a subject, found neither");
}

export const jsStreamInfo: NatsOperation = async (call) => {
  const stream = neededText(call, "stream");
  const { config, state, created } = await call.manager.streams.info(stream);
  return {
    status: "success",
    stream,
    subjects: config.subjects,
    retention: config.retention,
    created,
    messages: state.messages,
    bytes: state.bytes,
    first_seq: state.first_seq,
    last_seq: state.last_seq,
    consumers: state.consumer_count,
  };
};

function tooMuch(): ToolFailure {
  return new ToolFailure({
    kind: "result",
    message: `the messages are larger than ${resultBytesMax} bytes; take a smaller batch`,
    retryable: false,
  });
}
