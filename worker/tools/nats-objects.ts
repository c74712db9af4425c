// The object operations of the nats tool. An object is stored in pieces, so it may be larger than
// a message; one call takes or gives it whole.

import { type ObjectInfo, type ObjectStore, Objm } from "@nats-io/obj";

import type { JsonObject } from "#core/model/json";
import { resultBytesMax } from "#core/model/limits";
import { configFailure, flagField, textField } from "./call-config.ts";
import { natsFailure } from "./nats-failure.ts";
import {
  type NatsCall,
  type NatsOperation,
  neededText,
  noStreamCode,
  payload,
  unlessMissing,
} from "./nats-operation.ts";
import { natsValue } from "./nats-values.ts";
import { ToolFailure } from "./tool.ts";

async function storeOf(call: NatsCall): Promise<{ bucket: string; store: ObjectStore }> {
  const bucket = neededText(call, "bucket");
  const objects = new Objm(call.connection);
  const info = await unlessMissing(call.manager.streams.info(`OBJ_${bucket}`), noStreamCode);
  if (info !== undefined) return { bucket, store: await objects.open(bucket, false) };
  if (!flagField(call.config, false, "create")) {
    throw natsFailure("no_bucket", `no object bucket ${bucket}; create: true makes it`);
  }
  return { bucket, store: await objects.create(bucket) };
}

function nameOf({ config }: NatsCall): string {
  const found = textField(config, "name", "key");
  if (found === undefined) throw configFailure("name: expected the object's name, found nothing");
  return found.value;
}

export const objectGet: NatsOperation = async (call) => {
  const { bucket, store } = await storeOf(call);
  const name = nameOf(call);
  const info = await store.info(name);
  if (info === null || info.deleted) return { status: "not_found", bucket, name, data: null };
  if (info.size > resultBytesMax) {
    throw new ToolFailure({
      kind: "result",
      message: `the object has ${info.size} bytes, a result at most ${resultBytesMax}`,
      retryable: false,
    });
  }
  const bytes = (await store.getBlob(name)) ?? new Uint8Array();
  const { value, encoding } = natsValue(bytes, call.encoding);
  return { ...shown(bucket, info), status: "success", data: value, encoding };
};

export const objectPut: NatsOperation = async (call) => {
  const bytes = payload(call, "data", "value");
  const { bucket, store } = await storeOf(call);
  const info = await store.putBlob({ name: nameOf(call) }, bytes, { timeout: call.timeoutMs });
  return { ...shown(bucket, info), status: "success" };
};

export const objectDelete: NatsOperation = async (call) => {
  const { bucket, store } = await storeOf(call);
  const name = nameOf(call);
  await existing(store, bucket, name);
  await store.delete(name);
  return { status: "success", bucket, name };
};

export const objectInfo: NatsOperation = async (call) => {
  const { bucket, store } = await storeOf(call);
  const info = await existing(store, bucket, nameOf(call));
  return { ...shown(bucket, info), status: "success" };
};

export const objectList: NatsOperation = async (call) => {
  const { bucket, store } = await storeOf(call);
  const objects = (await store.list()).map((info) => shown(bucket, info));
  return { status: "success", bucket, objects, count: objects.length };
};

async function existing(store: ObjectStore, bucket: string, name: string): Promise<ObjectInfo> {
  const info = await store.info(name);
  if (info === null || info.deleted) {
    throw natsFailure("not_found", `no object ${name} in bucket ${bucket}`);
  }
  return info;
}

function shown(bucket: string, info: ObjectInfo): JsonObject {
  return { bucket, name: info.name, size: info.size, digest: info.digest, modified: info.mtime };
}
