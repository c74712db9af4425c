// The key-value operations of the nats tool. A missing key is data, so that rules can read it; a
// missing bucket is an error, unless the call asks for it to be made.

import { type KV, Kvm } from "@nats-io/kv";

import { configFailure, flagField, numberField, textField } from "./call-config.ts";
import { natsFailure } from "./nats-failure.ts";
import {
  checkSize,
  isGiven,
  type NatsCall,
  type NatsOperation,
  neededText,
  noStreamCode,
  payload,
  unlessMissing,
  wholeNumber,
} from "./nats-operation.ts";
import { natsValue } from "./nats-values.ts";

const nanosPerMs = 1_000_000;

interface Bucket {
  readonly name: string;
  readonly kv: KV;
  /** How long values are kept, 0 for always. */
  readonly keptMs: number;
}

async function bucketOf(call: NatsCall, ttlMs = 0): Promise<Bucket> {
  const name = neededText(call, "bucket");
  const kvm = new Kvm(call.connection);
  const stream = `KV_${name}`;
  const info = await unlessMissing(call.manager.streams.info(stream), noStreamCode);
  if (info !== undefined) {
    const kv = await kvm.open(name, { allow_direct: info.config.allow_direct ?? false });
    return { name, kv, keptMs: (info.config.max_age ?? 0) / nanosPerMs };
  }
  if (!flagField(call.config, false, "create")) {
    throw natsFailure("no_bucket", `no bucket ${name}; create: true makes it`);
  }
  const kv = await kvm.create(name, { history: 1, ...(ttlMs === 0 ? {} : { ttl: ttlMs }) });
  return { name, kv, keptMs: ttlMs };
}

export const kvGet: NatsOperation = async (call) => {
  const { name, kv } = await bucketOf(call);
  const key = neededText(call, "key");
  const revision = wholeNumber(call, "revision", 1);
  const entry = await kv.get(key, revision === undefined ? undefined : { revision });
  if (entry === null || entry.operation !== "PUT") {
    return { status: "not_found", bucket: name, key, value: null };
  }
  const { value, encoding } = natsValue(entry.value, call.encoding);
  return { status: "success", bucket: name, key, value, encoding, revision: entry.revision };
};

export const kvPut: NatsOperation = async (call) => {
  const ttlS = numberField(call.config, "ttl")?.value;
  if (ttlS !== undefined && ttlS <= 0) {
    throw configFailure(`ttl: expected seconds above 0, found ${ttlS}`);
  }
  const ttlMs = Math.ceil((ttlS ?? 0) * 1_000);
  const bytes = payload(call, "value", "data");
  checkSize(call, bytes);
  const { name, kv, keptMs } = await bucketOf(call, ttlMs);
  if (ttlMs > 0 && keptMs !== ttlMs) {
    const kept = keptMs === 0 ? "for ever" : `for ${keptMs / 1_000} s`;
    throw natsFailure(
      "unsupported",
      `ttl: bucket ${name} keeps values ${kept}; a ttl of one key is not supported`,
    );
  }
  const key = neededText(call, "key");
  const over = isGiven(call, "revision") ? wholeNumber(call, "revision", 0) : undefined;
  const options = { timeout: call.timeoutMs };
  const revision =
    over === undefined
      ? await kv.put(key, bytes, options)
      : await kv.put(key, bytes, { ...options, previousSeq: over });
  return { status: "success", bucket: name, key, revision };
};

export const kvDelete: NatsOperation = (call) => removed(call, "delete");
export const kvPurge: NatsOperation = (call) => removed(call, "purge");

async function removed(call: NatsCall, how: "delete" | "purge") {
  const { name, kv } = await bucketOf(call);
  const key = neededText(call, "key");
  // The client takes a pattern here for every key that matches, which no one-key call means.
  if (/[*>]/.test(key)) throw configFailure("key: expected one key, found a pattern");
  const over = wholeNumber(call, "revision", 1);
  await kv[how](key, over === undefined ? {} : { previousSeq: over });
  return { status: "success", bucket: name, key };
}

export const kvKeys: NatsOperation = async (call) => {
  const { name, kv } = await bucketOf(call);
  const pattern = textField(call.config, "pattern")?.value ?? ">";
  const keys: string[] = [];
  for await (const key of await kv.keys(pattern)) keys.push(key);
  keys.sort();
  return { status: "success", bucket: name, keys, count: keys.length };
};
