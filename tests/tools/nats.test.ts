// Holds the nats tool to its promises against a real server: keys, objects, streams.

import { describe, expect, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

import type { JsonObject } from "#core/model/json";
import { natsMissing } from "#tests/support/nats";
import { natsAvailable, natsCalls } from "#tests/tools/nats-calls";

// Without the server's program there is nothing to test against: the skip says how to get it.
if (!natsAvailable) test.skip(natsMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!natsAvailable)("nats", () => {
  const { failure, run, server } = natsCalls();

  async function stream(name: string, subjects: readonly string[]): Promise<void> {
    const connection = await connect({ servers: server().url.replace("nats://", "") });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name, subjects: [...subjects] });
    await connection.close();
  }

  describe("keys", () => {
    const put = (key: string, value: JsonObject["value"], more: JsonObject = {}) =>
      run({
        operation: "kv_put",
        bucket: "kept",
        key,
        value: value ?? null,
        create: true,
        ...more,
      });
    const get = (key: string, more: JsonObject = {}) =>
      run({ operation: "kv_get", bucket: "kept", key, ...more });

    test("a value comes back as it was stored, with its revision", async () => {
      const { revision } = await put("text", "grüße");
      expect(await get("text")).toEqual({
        status: "success",
        bucket: "kept",
        key: "text",
        value: "grüße",
        encoding: "utf8",
        revision: revision ?? 0,
      });
    });

    test("json is stored as json and read as json where it is asked for", async () => {
      await put("order", { id: 12345678901234567890n.toString(), items: [1, null] });
      const text = await get("order");
      expect(text["value"]).toBe('{"id":"12345678901234567890","items":[1,null]}');
      const value = await get("order", { encoding: "json" });
      expect(value["value"]).toEqual({ id: "12345678901234567890", items: [1, null] });
    });

    test("bytes that are no text come as base64, whatever was asked for", async () => {
      const bytes = Buffer.from([0xff, 0x00, 0x80]).toString("base64");
      await put("bytes", bytes, { encoding: "base64" });
      expect(await get("bytes")).toMatchObject({ value: bytes, encoding: "base64" });
      const refused = await failure({
        operation: "kv_put",
        bucket: "kept",
        key: "bytes",
        value: "not base64!",
        encoding: "base64",
      });
      expect(refused.kind).toBe("config");
    });

    test("a missing key is data that rules can read, a missing bucket an error", async () => {
      await put("one", 1);
      expect(await get("none")).toEqual({
        status: "not_found",
        bucket: "kept",
        key: "none",
        value: null,
      });
      const error = await failure({ operation: "kv_get", bucket: "nowhere", key: "a" });
      expect(error).toMatchObject({ kind: "nats", code: "no_bucket", retryable: false });
    });

    test("a write over a revision that is not the last is refused", async () => {
      const { revision } = await put("guarded", "a");
      const over = (given: number) =>
        ({
          operation: "kv_put",
          bucket: "kept",
          key: "guarded",
          value: "b",
          revision: given,
        }) as const;
      await run(over(Number(revision)));
      expect(await failure(over(Number(revision)))).toMatchObject({
        kind: "nats",
        code: "wrong_revision",
      });
      // Revision 0 is a key that was never written.
      expect((await failure(over(0))).code).toBe("wrong_revision");
      // A bucket that this tool makes keeps the last value only.
      const older = await get("guarded", { revision: Number(revision) });
      expect(older["status"]).toBe("not_found");
      expect(await get("guarded", { revision: Number(revision) + 1 })).toMatchObject({
        value: "b",
      });
    });

    test("keys are listed by pattern, without those that were deleted", async () => {
      for (const key of ["trip.1", "trip.2", "trip.3", "hotel.1"]) await put(key, "x");
      await run({ operation: "kv_delete", bucket: "kept", key: "trip.2" });
      await run({ operation: "kv_purge", bucket: "kept", key: "trip.3" });
      expect(await run({ operation: "kv_keys", bucket: "kept", pattern: "trip.*" })).toEqual({
        status: "success",
        bucket: "kept",
        keys: ["trip.1"],
        count: 1,
      });
      expect((await get("trip.2"))["status"]).toBe("not_found");
      const pattern = { operation: "kv_delete", bucket: "kept", key: "trip.*" };
      expect((await failure(pattern)).kind).toBe("config");
    });

    test("a ttl makes a bucket that forgets; it is refused where the bucket does not", async () => {
      const short = { operation: "kv_put", bucket: "brief", key: "a", value: "x", ttl: 60 };
      await run({ ...short, create: true });
      await run({ ...short, create: true });
      const { max_age } = await streamConfig("KV_brief");
      expect(max_age).toBe(60_000_000_000);
      expect(await failure({ ...short, ttl: 5 })).toMatchObject({ code: "unsupported" });
    });

    async function streamConfig(name: string) {
      const connection = await connect({ servers: server().url.replace("nats://", "") });
      const manager = await jetstreamManager(connection);
      const { config } = await manager.streams.info(name);
      await connection.close();
      return config;
    }
  });

  describe("objects", () => {
    const base = { bucket: "files", create: true } as const;

    test("an object larger than a message comes back whole", async () => {
      const data = Buffer.alloc(3_000_000, "abc").toString();
      const put = await run({ ...base, operation: "object_put", name: "big", data });
      expect(put).toMatchObject({ name: "big", size: 3_000_000 });
      const got = await run({ ...base, operation: "object_get", name: "big" });
      expect(got["data"] === data).toBe(true);
      expect(got["digest"]).toBe(put["digest"] ?? "");
    });

    test("objects are listed, described and deleted", async () => {
      await run({ ...base, bucket: "few", operation: "object_put", name: "a", data: { n: 1 } });
      await run({ ...base, bucket: "few", operation: "object_put", name: "b", data: "" });
      const list = await run({ operation: "object_list", bucket: "few" });
      expect(list).toMatchObject({
        count: 2,
        objects: [
          { name: "a", size: 7 },
          { name: "b", size: 0 },
        ],
      });
      const read = { operation: "object_get", bucket: "few", name: "a", encoding: "json" };
      expect(await run(read)).toMatchObject({ data: { n: 1 }, encoding: "json" });
      await run({ operation: "object_delete", bucket: "few", name: "a" });
      expect((await run(read))["status"]).toBe("not_found");
      for (const operation of ["object_info", "object_delete"]) {
        const error = await failure({ operation, bucket: "few", name: "a" });
        expect(error).toMatchObject({ kind: "nats", code: "not_found" });
      }
    });
  });

  describe("streams", () => {
    /** Messages that were given out and not acknowledged. */
    async function pending(name: string, consumer: string): Promise<number> {
      const connection = await connect({ servers: server().url.replace("nats://", "") });
      const manager = await jetstreamManager(connection);
      const info = await manager.consumers.info(name, consumer);
      await connection.close();
      return info.num_ack_pending;
    }

    test("every attempt of a call publishes the same message", async () => {
      await stream("orders", ["orders.>"]);
      const publish = { operation: "js_publish", subject: "orders.new", data: { id: 7 } };
      const first = await run(publish);
      expect(first).toMatchObject({ stream: "orders", seq: 1, duplicate: false });
      expect(await run(publish)).toMatchObject({ seq: 1, duplicate: true });
      const other = await run(publish, { idempotencyKey: "another call" });
      expect(other).toMatchObject({ seq: 2, duplicate: false });
      const named = { ...publish, headers: { "Nats-Msg-Id": "mine", trace: 5 } };
      expect(await run(named)).toMatchObject({ seq: 3 });
      expect(await run(named, { idempotencyKey: "third call" })).toMatchObject({ duplicate: true });
    });

    test("a subject that no stream takes is an error, and so is the wrong stream", async () => {
      const nobody = await failure({ operation: "js_publish", subject: "nobody", data: "x" });
      expect(nobody).toMatchObject({ kind: "nats", code: "no_stream" });
      await stream("alpha", ["alpha"]);
      const wrong = { operation: "js_publish", subject: "alpha", stream: "beta", data: "x" };
      expect(await failure(wrong)).toMatchObject({ kind: "nats", code: "wrong_stream" });
    });

    test("a message beyond the server's size is refused with both numbers", async () => {
      const data = "x".repeat(1_048_577);
      const error = await failure({ operation: "js_publish", subject: "orders.big", data });
      expect(error).toMatchObject({ kind: "nats", code: "too_large" });
      expect(error.message).toContain("1048577");
      expect(error.message).toContain("1048576");
    });

    test("a batch is taken once when it is acknowledged, and again when it is not", async () => {
      await stream("jobs", ["jobs.>"]);
      for (const n of [1, 2, 3]) {
        const publish = { operation: "js_publish", subject: `jobs.${n}`, data: { n } };
        await run(publish, { idempotencyKey: `job ${n}` });
      }
      const take = {
        operation: "js_consume",
        stream: "jobs",
        consumer: "crew",
        batch: 2,
        encoding: "json",
        timeout_ms: 1_000,
      };
      expect(await failure(take)).toMatchObject({ code: "no_consumer" });
      const first = await run({ ...take, create: true });
      expect(first["count"]).toBe(2);
      expect(first["messages"]).toMatchObject([
        { subject: "jobs.1", seq: 1, data: { n: 1 }, redelivered: false },
        { subject: "jobs.2", seq: 2, data: { n: 2 } },
      ]);
      expect(await pending("jobs", "crew")).toBe(0);
      const second = await run({ ...take, ack: false });
      expect(second["messages"]).toMatchObject([{ seq: 3 }]);
      expect(await pending("jobs", "crew")).toBe(1);
      const info = await run({ operation: "js_stream_info", stream: "jobs" });
      expect(info).toMatchObject({ messages: 3, first_seq: 1, last_seq: 3, consumers: 1 });
    });

    test("one message is read by its number or as the last of a subject", async () => {
      await stream("log", ["log.>"]);
      for (const n of [1, 2]) {
        const publish = { operation: "js_publish", subject: "log.a", data: `line ${n}` };
        await run(publish, { idempotencyKey: `line ${n}` });
      }
      const read = { operation: "js_get_msg", stream: "log" };
      expect(await run({ ...read, seq: 1 })).toMatchObject({ data: "line 1", subject: "log.a" });
      expect(await run({ ...read, last: "log.a" })).toMatchObject({ data: "line 2", seq: 2 });
      expect(await run({ ...read, last: true, subject: "log.a" })).toMatchObject({ seq: 2 });
      expect(await run({ ...read, seq: 9 })).toEqual({
        status: "not_found",
        stream: "log",
        data: null,
      });
      const missing = await failure({ operation: "js_stream_info", stream: "none" });
      expect(missing).toMatchObject({ kind: "nats", code: "no_stream" });
    });
  });
});
