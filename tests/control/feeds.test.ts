// The feed over HTTP: pages, pages that wait, and streams that go on where they were cut.
import { describe, expect, test } from "bun:test";
import { encodePosition, parsePosition } from "#core/model/position";
import { onBothStores, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const feedPath = "/api/feeds/executions";

interface Sent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: { readonly position: string; readonly event_type: string; readonly seq: number };
}

function framesOf(text: string): readonly Sent[] {
  return text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const field = (name: string): string | undefined =>
        frame
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const [id, event, data] = [field("id"), field("event"), field("data")];
      return {
        ...(id === undefined ? {} : { id }),
        ...(event === undefined ? {} : { event }),
        ...(data === undefined ? {} : { data: JSON.parse(data) }),
      };
    });
}

/** Reads a stream until it has sent so many events, then leaves. */
async function streamed(
  world: World,
  query: string,
  wanted: number,
  headers: Readonly<Record<string, string>> = {},
) {
  const request = new Request(`http://control${feedPath}?${query}`, {
    headers: { accept: "text/event-stream", ...headers },
  });
  const answer = await world.control.fetch(request);
  if (answer.body === null) throw new Error("expected a stream");
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const frames: Sent[] = [];
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) {
    frames.push(...framesOf(decoder.decode(chunk)));
    if (frames.filter(({ event }) => event === "event").length >= wanted) break;
  }
  return frames.filter(({ event }) => event === "event");
}

async function endedExecution(world: World) {
  await world.register(chain("t/feed", 1));
  const id = await world.start("t/feed");
  await handWorker(world.client).drain();
  return id;
}

onBothStores((shelf) => {
  describe("the feed over HTTP", () => {
    test("gives every event of every execution in pages", async () => {
      const world = shelf().open();
      const first = await endedExecution(world);
      const second = await endedExecution(world);
      const { end } = await world.client.feedStatus();
      const seen: string[] = [];
      for (let after = ""; ; ) {
        const query = { limit: 4, ids: `${first},${second}`, ...(after === "" ? {} : { after }) };
        const page = await world.client.feedExecutions({ query });
        seen.push(...page.events.map((event) => `${event.execution_id}:${event.seq}`));
        after = page.next;
        if (!page.more) break;
      }
      const all = [...(await world.events(first)), ...(await world.events(second))];
      expect(seen).toEqual(all.map((event) => `${event.execution_id}:${event.seq}`));
      const query = { after: end };
      expect((await world.client.feedExecutions({ query })).events).toEqual([]);
    });

    test("withholds an empty page until something comes", async () => {
      const world = shelf().open();
      const id = await endedExecution(world);
      const query = { after: "end", types: "playbook.completed", wait_ms: 20_000 };
      const waiting = world.client.feedExecutions({ query });
      const next = await endedExecution(world);
      const page = await waiting;
      expect(page.events.map((event) => event.execution_id)).toEqual([next]);
      expect(next).not.toBe(id);
    });

    test("gives an empty page and a place to read on when nothing comes in time", async () => {
      const world = shelf().open();
      await endedExecution(world);
      const { end } = await world.client.feedStatus();
      const page = await world.client.feedExecutions({ query: { after: "end", wait_ms: 30 } });
      expect(page).toMatchObject({ events: [], more: false, next: end });
    });

    test("streams what there is and what comes, with positions as ids", async () => {
      const world = shelf().open();
      const first = await endedExecution(world);
      const before = await world.events(first);
      const query = "types=playbook.started,playbook.completed&after=";
      const whole = streamed(world, `${query}&ids=${first}`, 2);
      expect((await whole).map(({ data }) => data?.event_type)).toEqual([
        "playbook.started",
        "playbook.completed",
      ]);
      const live = streamed(world, "after=end&types=playbook.completed", 1);
      const second = await endedExecution(world);
      const [frame] = await live;
      expect(frame?.data).toMatchObject({ execution_id: second, seq: before.length });
      expect(frame?.id).toBe(frame?.data?.position ?? "");
    });

    test("streams on from the last id that a client names, and skips nothing", async () => {
      const world = shelf().open();
      const id = await endedExecution(world);
      const events = await world.events(id);
      const [one, two] = await streamed(world, `ids=${id}`, 2);
      expect([one?.data?.seq, two?.data?.seq]).toEqual([1, 2]);
      const headers = { "last-event-id": two?.id ?? "" };
      const rest = await streamed(world, `ids=${id}`, events.length - 2, headers);
      expect(rest.map(({ data }) => data?.seq)).toEqual(events.slice(2).map(({ seq }) => seq));
    });

    test("answers a position of another timeline with 409 and the right one", async () => {
      const world = shelf().open();
      await endedExecution(world);
      const { end, timeline } = await world.client.feedStatus();
      const foreign = encodePosition({ ...parsePosition(end), timeline: "0123456789ab-7" });
      for (const accept of ["application/json", "text/event-stream"]) {
        const request = new Request(`http://control${feedPath}?after=${foreign}`, {
          headers: { accept },
        });
        const answer = await world.control.fetch(request);
        expect(answer.status).toBe(409);
        expect(await answer.json()).toMatchObject({
          error: { code: "conflict", details: { reason: "timeline", timeline } },
        });
      }
    });
  });
});
