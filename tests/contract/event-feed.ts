// The contract of the feed: one order over all executions, read on from any place in it, and a
// clear no to a place that is not of this log.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { ExecutionId } from "#core/model/ids";
import { encodePosition, parsePosition } from "#core/model/position";
import type { EventFeed, FeedEntry, FeedQuery } from "#core/ports/event-feed";
import type { EventLog } from "#core/ports/event-log";
import { continueWith, newExecution, plainTail, transition } from "./transitions.ts";

export interface EventFeedWorld {
  readonly log: EventLog;
  readonly feed: EventFeed;
  reset(): Promise<void>;
  close(): Promise<void>;
}

const other = (type: string) => `"name":"x","note":${JSON.stringify(type)}`;
const three = [plainTail, plainTail, plainTail];

/** Executions that were started one after the other, each with so many events. */
async function started(log: EventLog, events: number, executions = 1) {
  const ids: ExecutionId[] = [];
  for (let n = 0; n < executions; n++) {
    const id = newExecution();
    await log.append([transition(id, { tails: Array(events).fill(plainTail) })]);
    ids.push(id);
  }
  return ids;
}

const placesOf = (entries: readonly FeedEntry[]) =>
  entries.map(({ event }) => `${event.execution_id}:${event.seq}`);

/** Reads to the end in pages of this size. */
export async function readAll(feed: EventFeed, query: FeedQuery, from?: string) {
  const entries: FeedEntry[] = [];
  for (let position = from; ; ) {
    const page = await feed.after(position, query);
    entries.push(...page.entries);
    if (!page.more) return { entries, next: page.next };
    position = page.next;
  }
}

export function eventFeedContract(name: string, open: () => Promise<EventFeedWorld>): void {
  describe(`the feed of the log on ${name}`, () => {
    let world: EventFeedWorld | undefined;
    const the = (): EventFeedWorld => {
      if (world === undefined) throw new Error("expected the hooks to have run");
      return world;
    };
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    beforeEach(() => the().reset());
    afterAll(() => world?.close());

    reading(the);
    filtering(the);
    refusing(the);
  });
}

function reading(the: () => EventFeedWorld): void {
  test("gives every event once, in one order, whatever the size of the pages", async () => {
    const { log, feed } = the();
    const [first, second] = await started(log, 3, 2);
    if (first === undefined || second === undefined) throw new Error("two were started");
    await continueWith(log, first, { tails: three });
    await continueWith(log, second, { tails: [plainTail] });
    const whole = [1, 2, 3].map((seq) => `${first}:${seq}`);
    whole.push(...[1, 2, 3].map((seq) => `${second}:${seq}`));
    whole.push(...[4, 5, 6].map((seq) => `${first}:${seq}`), `${second}:4`);
    for (const limit of [1, 2, 7, 500]) {
      expect(placesOf((await readAll(feed, { limit })).entries)).toEqual(whole);
    }
  });

  test("reads on from any entry with exactly those that follow", async () => {
    const { log, feed } = the();
    await started(log, 2, 3);
    const { entries } = await readAll(feed, { limit: 500 });
    for (const [index, { position }] of entries.entries()) {
      const rest = await readAll(feed, { limit: 2 }, position);
      expect(placesOf(rest.entries)).toEqual(placesOf(entries.slice(index + 1)));
    }
  });

  test("gives events as they were logged", async () => {
    const { log, feed } = the();
    const id = newExecution();
    const tail = '"name":"probe","data":{"b":1,"a":"\\u0000"}';
    const logged = transition(id, { tails: [tail] });
    await log.append([logged]);
    const [entry] = (await feed.after(undefined, { limit: 1 })).entries;
    expect({ text: entry?.text, digest: entry?.digest }).toEqual({
      text: logged.events[0]?.text ?? "",
      digest: logged.events[0]?.digest ?? "",
    });
    expect(entry?.event).toEqual(logged.events[0]?.event);
  });

  test("orders executions of one append by their ids, and a refused one not at all", async () => {
    const { log, feed } = the();
    const ids = [newExecution(), newExecution(), newExecution()];
    const [a = "", b = "", c = ""] = ids;
    await log.append([ids[1], ids[0]].flatMap((id) => (id === undefined ? [] : [transition(id)])));
    await log.append([ids[0], ids[2]].flatMap((id) => (id === undefined ? [] : [transition(id)])));
    const { entries } = await readAll(feed, { limit: 10 });
    expect(placesOf(entries)).toEqual([`${a}:1`, `${b}:1`, `${c}:1`]);
  });

  test("gives a place to read on from when there is nothing more, and when there is nothing", async () => {
    const { log, feed } = the();
    const nothing = await feed.after(undefined, { limit: 10 });
    expect({ entries: nothing.entries, more: nothing.more }).toEqual({ entries: [], more: false });
    const [id] = await started(log, 1);
    const page = await feed.after(nothing.next, { limit: 10 });
    expect(placesOf(page.entries)).toEqual([`${id}:1`]);
    expect((await feed.after(page.next, { limit: 10 })).entries).toEqual([]);
    expect((await feed.after(page.next, { limit: 10 })).next).toBe(page.next);
  });

  test("has an end behind which only later events stand", async () => {
    const { log, feed } = the();
    expect((await feed.after(await feed.end(), { limit: 5 })).entries).toEqual([]);
    const [before] = await started(log, 2);
    const end = await feed.end();
    expect((await feed.after(end, { limit: 5 })).entries).toEqual([]);
    expect(end).toBe((await readAll(feed, { limit: 5 })).entries.at(-1)?.position ?? "");
    if (before !== undefined) await continueWith(log, before, { tails: [plainTail] });
    expect(placesOf((await feed.after(end, { limit: 5 })).entries)).toEqual([`${before}:3`]);
  });

  test("says that nobody holds readers back when nobody does", async () => {
    expect(await the().feed.lag()).toEqual({ lagMs: 0 });
  });
}

function filtering(the: () => EventFeedWorld): void {
  test("narrows to executions, from any position of any execution", async () => {
    const { log, feed } = the();
    const ids = await started(log, 3, 4);
    for (const id of ids) await continueWith(log, id, { tails: three });
    const [, second = newExecution(), , fourth = newExecution()] = ids;
    const executionIds = [fourth, second, second];
    const all = (await readAll(feed, { limit: 500 })).entries;
    const theirs = (entries: readonly FeedEntry[]) =>
      placesOf(entries.filter(({ event }) => executionIds.includes(event.execution_id)));
    for (const [index, { position }] of all.entries()) {
      const read = await readAll(feed, { limit: 2, executionIds }, position);
      expect(placesOf(read.entries)).toEqual(theirs(all.slice(index + 1)));
    }
    expect((await readAll(feed, { limit: 9, executionIds: [newExecution()] })).entries).toEqual([]);
    expect((await readAll(feed, { limit: 9, executionIds: [] })).entries).toEqual([]);
  });

  test("narrows to types, and doesn't read again what didn't match", async () => {
    const { log, feed } = the();
    await started(log, 5, 2);
    const none = await feed.after(undefined, { limit: 3, types: ["playbook.failed"] });
    expect(none.entries).toEqual([]);
    const rest = await readAll(feed, { limit: 3, types: ["playbook.failed"] });
    expect(rest.next).toBe(await feed.end());
    const some = await readAll(feed, { limit: 3, types: ["step.exit", "event.emitted"] });
    expect(some.entries).toHaveLength(10);
  });

  test("moves on past executions that nobody asked for", async () => {
    const { log, feed } = the();
    const [wanted] = await started(log, 1);
    await started(log, 3, 2);
    const executionIds = wanted === undefined ? [] : [wanted];
    const { next } = await readAll(feed, { limit: 10, executionIds });
    expect(next).toBe(await feed.end());
    if (wanted !== undefined) await continueWith(log, wanted, { tails: [other("later")] });
    const later = await feed.after(next, { limit: 10, executionIds });
    expect(placesOf(later.entries)).toEqual([`${wanted}:2`]);
  });
}

function refusing(the: () => EventFeedWorld): void {
  test("has an identity that stays, and is in every position", async () => {
    const { log, feed } = the();
    const identity = await feed.identity();
    expect(identity.clusterId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await feed.identity()).toEqual(identity);
    await started(log, 1);
    const page = await feed.after(undefined, { limit: 1 });
    expect(page.timeline).toBe(identity.timeline);
    expect(parsePosition(page.next).timeline).toBe(identity.timeline);
  });

  test("refuses a position of another timeline, and says which one is right", async () => {
    const { log, feed } = the();
    await started(log, 1);
    const { timeline } = await feed.identity();
    const foreign = { ...parsePosition(await feed.end()), timeline: "0123456789ab-1" };
    await expect(feed.after(encodePosition(foreign), { limit: 1 })).rejects.toMatchObject({
      code: "conflict",
      details: { reason: "timeline", timeline },
    });
  });

  test("refuses a position ahead of everything that was ever written", async () => {
    const { log, feed } = the();
    await started(log, 1);
    const end = parsePosition(await feed.end());
    const ahead = encodePosition({ ...end, xid: String(BigInt(end.xid) + 1_000_000n) });
    await expect(feed.after(ahead, { limit: 1 })).rejects.toMatchObject({ code: "conflict" });
  });

  test("refuses text that is no position, and a page of nothing", async () => {
    const { feed } = the();
    await expect(feed.after("nonsense", { limit: 1 })).rejects.toMatchObject({ code: "invalid" });
    await expect(feed.after(undefined, { limit: 0 })).rejects.toMatchObject({ code: "invalid" });
  });
}
