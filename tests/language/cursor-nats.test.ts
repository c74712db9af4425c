// Cursor loops over a NATS stream: messages become rows, they are acknowledged once the log has
// them, and whoever has them in hand is waited for.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { systemClock } from "#core/adapters/system-clock";
import type { FrameBinding } from "#core/model/command";
import type { Json } from "#core/model/json";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";
import { type ScratchNats, startNats } from "#tests/support/nats";
import { command, outcomeOf, task, tool } from "#tests/worker/commands";

let nats: ScratchNats;
let connection: NatsConnection;
let house: House;

beforeAll(async () => {
  nats = await startNats();
  connection = await connect({ servers: nats.url });
  house = await startHouse({
    credentials: [{ name: "queue", type: "nats", data: { url: nats.url } }],
  });
});
afterAll(async () => {
  await house?.close();
  await connection?.close();
  await nats?.stop();
});

/** A stream of its own with so many messages. */
async function stream(name: string, messages: readonly unknown[]): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name, subjects: [`${name}.>`] });
  const js = jetstream(connection);
  for (const [index, message] of messages.entries()) {
    const given = headers();
    given.set("place", String(index));
    const text = typeof message === "string" ? message : JSON.stringify(message);
    await js.publish(`${name}.new`, text, { headers: given });
  }
}

const playbook = (name: string, spec: string, cursor = ""): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: nats/${name}}
workload: {seen: []}
workflow:
- step: start
  loop:
    cursor: {kind: nats, auth: queue, stream: ${name}, consumer: worker${cursor}}
    iterator: message
    spec: {mode: cursor, ${spec}}
  tool:
    kind: noop
    result: "{{ message.data }} {{ message.subject }} {{ message.headers.place }} {{ message.seq }}"
    set: {ctx.last: "{{ output.data }}"}
  next: {arcs: [{step: end, when: "{{ event.name == 'loop.done' }}"}]}
- step: end
  tool: {kind: noop, result: {stats: "{{ start.stats }}", last: "{{ last }}", error: "{{ start.error }}"}}
`;

async function run(name: string, spec: string, cursor?: string): Promise<HouseRun> {
  await house.register(playbook(name, spec, cursor));
  return house.run(`nats/${name}`);
}

const inHand = async (name: string): Promise<readonly number[]> => {
  const manager = await jetstreamManager(connection);
  const info = await manager.consumers.info(name, "worker");
  return [info.num_ack_pending, info.num_pending, info.delivered.consumer_seq];
};

test("messages are drained frame by frame and acknowledged", async () => {
  await stream("orders", ["a", { b: 1 }, "c", "d", "e"]);
  const done = await run("orders", "frame: {max_rows: 2}");
  expect(done.result).toMatchObject({
    stats: { total: 5, success: 5, failed: 0, frames: 3 },
    last: "e orders.new 4 5",
  });
  expect(await inHand("orders")).toEqual([0, 0, 5]);
  const claimed = done.events.flatMap((event) => (event.type === "cursor.claimed" ? [event] : []));
  expect(claimed[0]?.rows).toMatchObject([
    { stream: "orders", seq: 1, data: "a" },
    { stream: "orders", seq: 2, data: { b: 1 } },
  ]);
  expect(house.reports).toEqual([]);
});

test("a message that somebody has and lets go of is waited for", async () => {
  await stream("held", ["a"]);
  const manager = await jetstreamManager(connection);
  await manager.consumers.add("held", {
    durable_name: "worker",
    ack_policy: AckPolicy.Explicit,
    ack_wait: 2_000_000_000,
  });
  const consumer = await jetstream(connection).consumers.get("held", "worker");
  const taken = await consumer.next({ expires: 1_000 });
  expect(taken?.string()).toBe("a");
  const done = await run("held", "frame: {max_rows: 2, max_seconds: 20}");
  expect(done.result).toMatchObject({ stats: { total: 1, success: 1 } });
  expect(await inHand("held")).toEqual([0, 0, 2]);
}, 20_000);

test("messages that come again come together, not one after each wait", async () => {
  await stream("again_together", ["a", "b", "c", "d"]);
  const manager = await jetstreamManager(connection);
  await manager.consumers.add("again_together", {
    durable_name: "worker",
    ack_policy: AckPolicy.Explicit,
    ack_wait: 2_000_000_000,
  });
  const consumer = await jetstream(connection).consumers.get("again_together", "worker");
  let taken = 0;
  for await (const _ of await consumer.fetch({ max_messages: 4, expires: 1_000 })) {
    taken += 1;
    if (taken === 4) break;
  }
  const done = await run("again_together", "frame: {max_rows: 10, max_seconds: 20}");
  expect(done.result).toMatchObject({ stats: { total: 4, success: 4, frames: 1 } });
  expect(await inHand("again_together")).toEqual([0, 0, 8]);
}, 20_000);

test("rows that an earlier attempt has recorded are acknowledged before they are worked on", async () => {
  await stream("again", ["a", "b"]);
  const manager = await jetstreamManager(connection);
  const consumerName = "worker";
  await manager.consumers.add("again", {
    durable_name: consumerName,
    ack_policy: AckPolicy.Explicit,
  });
  const consumer = await jetstream(connection).consumers.get("again", consumerName);
  const rows: Json[] = [];
  for await (const message of await consumer.fetch({ max_messages: 2, expires: 1_000 })) {
    const { reply } = message as typeof message & { readonly reply: string };
    rows.push({ stream: "again", seq: message.seq, data: message.string(), _ack: reply });
    if (rows.length === 2) break;
  }
  expect(await inHand("again")).toEqual([2, 0, 2]);
  const config = { url: nats.url, stream: "again", consumer: consumerName };
  const frame: FrameBinding = {
    number: 0,
    key: "k",
    iterator: "message",
    driver: "nats",
    claim: task("claim", { kind: "nats", config }),
    rows,
    settings: {
      ...{ max_rows: 2, max_bytes: 1_000, max_seconds: 5, lease_seconds: 9, heartbeat_seconds: 9 },
      ...{ row_concurrency: 1, max_attempts: 1, frames_max: 1, process: "row" },
    },
  };
  const seen: (readonly number[])[] = [];
  const keys: string[] = [];
  const body = tool(async (_config, context) => {
    seen.push(await inHand("again"));
    keys.push(context.idempotencyKey);
    return { status: "ok", data: null };
  }, "body");
  const of = { ...command([task("body", { kind: "body" })], { attempt: 2 }), frame };
  const outcome = await outcomeOf(of, [body], { clock: systemClock() });
  expect(outcome.output).toMatchObject({ status: "ok", data: { success: 2 } });
  expect(seen[0]).toEqual([0, 0, 2]);
  // Known by stream and sequence, whatever frame they come with.
  const other = { ...of, frame: { ...frame, number: 7, rows: rows.slice(1) } };
  await outcomeOf(other, [body], { clock: systemClock() });
  expect(keys[2]).toBe(keys[1] ?? "");
}, 20_000);

test("messages that are too many bytes for one frame come with the next", async () => {
  await stream("heavy", ["x".repeat(600), "y".repeat(600), "z".repeat(600)]);
  const done = await run("heavy", "frame: {max_rows: 10, max_bytes: 1300}");
  expect(done.result).toMatchObject({ stats: { total: 3, success: 3, frames: 2 } });
  // Without being let go of, the third would come back after fifteen seconds.
}, 10_000);

test("a stream that isn't there, a server that isn't there", async () => {
  const none = await run("nowhere", "frame: {max_attempts: 1}");
  expect(none.result).toMatchObject({ error: { kind: "nats", code: "no_stream" } });
  await house.register(
    playbook("away", "frame: {max_attempts: 2}").replace(
      "auth: queue",
      "url: 'nats://127.0.0.1:1'",
    ),
  );
  const away = await house.run("nats/away");
  expect(away.result).toMatchObject({ error: { kind: "connection" } });
});
