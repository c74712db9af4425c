// What tools printed, through the API: by page, as a stream while the execution runs, and on the
// bus. The stream ends by itself, once everything was sent.

import { expect, test } from "bun:test";
import { commandId, type ExecutionId } from "#core/model/ids";
import {
  logLineCharsMax,
  stepLogHeartbeatMs,
  stepLogLateMs,
  stepLogLookMs,
} from "#core/model/limits";
import { stepLogLines } from "#core/wire/subjects";
import { onBothStores, onMemory, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { settled, until } from "#tests/support/virtual-clock";
import { chain } from "./playbooks.ts";

let seqs = 0;

function send(world: World, id: ExecutionId, texts: readonly string[], step = "s1") {
  const lines = texts.map((text) => ({
    execution_id: id,
    command_id: `${id}:${step}:1`,
    attempt: 1,
    step,
    label: "task",
    stream: "stdout" as const,
    seq: ++seqs,
    time: 1_790_000_000_000 + seqs,
    text,
  }));
  return world.client.sendLogs({ body: { worker: "w1", lines } });
}

async function started(world: World, steps = 1): Promise<ExecutionId> {
  await world.register(chain("t/logs", steps));
  return world.start("t/logs");
}

const finish = (world: World) => handWorker(world.client).drain();

interface Followed {
  /** Texts of the lines so far; comments and the end as they are. */
  readonly heard: string[];
  readonly ended: Promise<void>;
  leave(): Promise<void>;
}

async function follow(world: World, id: ExecutionId, query = ""): Promise<Followed> {
  const address = `http://control/api/executions/${id}/logs?follow=true${query}`;
  const response = await world.control.fetch(new Request(address));
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const heard: string[] = [];
  const decoder = new TextDecoder();
  const reading = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const block of decoder.decode(value).split("\n\n")) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        const isLine = block.startsWith("event: line");
        if (data !== undefined && isLine) heard.push(JSON.parse(data).text);
        else if (block !== "") heard.push(block.replaceAll("\n", " "));
      }
    }
  };
  return { heard, ended: reading(), leave: () => reader.cancel() };
}

const opening = ": lines follow";

onBothStores((shelf) => {
  test("lines are read by page, with what was printed by whom and when", async () => {
    const world = shelf().open();
    const id = await started(world, 2);
    await send(world, id, ["a", "b"]);
    await send(world, id, ["c".repeat(logLineCharsMax + 1)], "s2");
    const query = { limit: 2 };
    const first = await world.client.executionLogs({ params: { id }, query });
    expect(first.lines[0]).toMatchObject({
      position: 1,
      execution_id: id,
      command_id: `${id}:s1:1`,
      attempt: 1,
      step: "s1",
      label: "task",
      stream: "stdout",
      text: "a",
    });
    expect(first.lines[0]?.time).toStartWith("2026-09-21T");
    expect(first.next_after).toBe(2);
    const rest = await world.client.executionLogs({
      params: { id },
      query: { after: 2, limit: 2 },
    });
    expect(rest.lines.map(({ text, step }) => [text.length, step])).toEqual([
      [logLineCharsMax, "s2"],
    ]);
    expect(rest).toMatchObject({ next_after: null, refused: 0 });
  });

  test("a request whose answer was lost is sent again and kept once", async () => {
    const world = shelf().open();
    const id = await started(world);
    expect(await send(world, id, ["a", "b"])).toEqual({ kept: 2 });
    seqs -= 2;
    expect(await send(world, id, ["a", "b", "c"])).toEqual({ kept: 1 });
    const { lines } = await world.client.executionLogs({ params: { id }, query: {} });
    expect(lines.map(({ text }) => text)).toEqual(["a", "b", "c"]);
  });
});

onMemory((shelf) => {
  const open = (): World => shelf().open({ clock: shelf().clock });

  test("a stream has the lines behind its position, those that come, and then ends", async () => {
    const world = open();
    const { clock } = shelf();
    const id = await started(world);
    await send(world, id, ["a", "b"]);
    const stream = await follow(world, id, "&after=1");
    await until(() => stream.heard.length >= 2);
    await send(world, id, ["c", "d"]);
    await until(() => stream.heard.length >= 4);
    await finish(world);
    await settled();
    await send(world, id, ["printed just before the end"]);
    await clock.advance(stepLogLateMs + stepLogLookMs);
    await stream.ended;

    const end = 'event: end data: {"status":"completed"}';
    expect(stream.heard).toEqual([opening, "b", "c", "d", "printed just before the end", end]);
  });

  test("a stream of an execution that ended long ago ends at once", async () => {
    const world = open();
    const id = await started(world);
    await send(world, id, ["a"]);
    await finish(world);
    await shelf().clock.advance(stepLogLateMs);
    const stream = await follow(world, id);
    await stream.ended;

    expect(stream.heard).toEqual([opening, "a", 'event: end data: {"status":"completed"}']);
  });

  test("a stream has only what was asked for", async () => {
    const world = open();
    const id = await started(world);
    await send(world, id, ["a"]);
    await send(world, id, ["b"], "s2");
    await finish(world);
    await shelf().clock.advance(stepLogLateMs);
    const stream = await follow(world, id, "&step=s2");
    await stream.ended;

    expect(stream.heard.slice(1, -1)).toEqual(["b"]);
  });

  test("a stream without news says that it is alive, and finds lines no message told of", async () => {
    const world = open();
    const { clock } = shelf();
    const id = await started(world);
    const stream = await follow(world, id);
    await clock.advance(stepLogHeartbeatMs + stepLogLookMs);
    expect(stream.heard).toEqual([opening, ": still here"]);
    const line = { commandId: commandId(id, "s1", 1), attempt: 1, step: "s1", label: "t" };
    const given = {
      ...line,
      executionId: id,
      stream: "log",
      seq: 1,
      timeMs: 0,
      text: "x",
    } as const;
    // Straight into the store: no control plane that is listened to has announced it.
    await world.stores.stepLogs.append("w2", [given]);
    await clock.advance(stepLogLookMs);
    expect(stream.heard.at(-1)).toBe("x");
    await stream.leave();
  });

  test("a reader who leaves leaves nothing behind", async () => {
    const world = open();
    const { clock } = shelf();
    const id = await started(world);
    await settled();
    const before = clock.sleeping();
    const stream = await follow(world, id);
    await settled();
    expect(clock.sleeping()).toBe(before + 1);
    await stream.leave();
    await settled();
    expect(clock.sleeping()).toBe(before);
  });

  test("lines are announced on the bus, large ones without their text", async () => {
    const world = open();
    const id = await started(world);
    const heard: { lines: { text: string }[]; more?: boolean }[] = [];
    world.bus.subscribe(stepLogLines(id), ({ data }) => void heard.push(JSON.parse(data)));
    await send(world, id, ["a", "b"]);
    await send(world, id, Array<string>(10).fill("x".repeat(10_000)));
    await until(() => heard.length >= 2);

    expect(heard[0]?.lines.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(heard[1]).toMatchObject({ lines: [], more: true });
  });
});
