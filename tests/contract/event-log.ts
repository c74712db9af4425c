// The contract of the event log: what every store of it keeps, told against the port alone.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chainDigest, genesisDigest } from "#core/model/codec";
import { Fault, InvariantViolation } from "#core/model/fault";
import type { EventLog } from "#core/ports/event-log";
import { leaseContract } from "./command-rows.ts";
import { sweepContract } from "./command-sweeps.ts";
import { dispatchContract } from "./dispatch.ts";
import { listContract } from "./event-log-lists.ts";
import {
  command,
  continueWith,
  eventsAfter,
  newExecution,
  plainTail,
  rowOf,
  sha256,
  startMs,
  transition,
} from "./transitions.ts";

/** One store under test, with power over what a test can't wait for. */
export interface EventLogWorld {
  readonly log: EventLog;
  /** The time by which leases and due times are measured. */
  nowMs(): number;
  /** Lets so much time pass for leases and due times. */
  advance(durationMs: number): Promise<void>;
  /** The next append is stored, and its caller sees a fault. */
  loseReplyOnce(): void;
  /** Empties the store. */
  reset(): Promise<void>;
}

/** Runs the whole contract against the store that `open` makes once. */
export function eventLogContract(name: string, open: () => Promise<EventLogWorld>): void {
  describe(`the event log on ${name}`, () => {
    let opened: EventLogWorld | undefined;
    const world = (): EventLogWorld => {
      if (opened === undefined) throw new Error(`${name} did not open`);
      return opened;
    };
    beforeAll(async () => {
      opened = await open();
    }, 60_000);
    beforeEach(() => world().reset());
    afterAll(() => opened?.log.close());

    describe("appends", () => appends(world));
    describe("batches", () => batches(world));
    describe("keeps texts", () => texts(world));
    describe("lists", () => listContract(world));
    describe("leases commands", () => leaseContract(world));
    describe("sweeps commands", () => sweepContract(world));
    dispatchContract(world);
  });
}

type World = () => EventLogWorld;

function appends(world: World): void {
  test("the first transition starts the execution", async () => {
    const id = newExecution();
    const first = transition(id, { tails: [plainTail, plainTail] });
    expect(await world().log.head(id)).toBeUndefined();
    expect(await world().log.append([first])).toEqual(["accepted"]);
    const digest = first.events[1]?.digest ?? "";
    expect(await world().log.head(id)).toEqual({ seq: 2, digest, row: rowOf(id) });
  });

  test("every transition refreshes the row, all of it", async () => {
    const id = newExecution();
    const parentId = newExecution();
    const early = { parentId, currentStep: "one", error: "soft" };
    await world().log.append([transition(id, { row: early })]);
    expect((await world().log.head(id))?.row).toEqual(rowOf(id, early));
    const late = {
      status: "failed",
      endedAtMs: startMs + 1_234,
      path: "tests/other",
      version: 3,
    } as const;
    await continueWith(world().log, id, { row: late });
    expect((await world().log.head(id))?.row).toEqual(rowOf(id, late));
  });

  test("texts that a database can't keep don't hinder the row", async () => {
    const id = newExecution();
    const row = { error: "nul \0 half \ud800 pair 😀", currentStep: "a\0" };
    expect(await world().log.append([transition(id, { row })])).toEqual(["accepted"]);
    expect((await world().log.head(id))?.row).toEqual(
      rowOf(id, { error: "nul \uFFFD half \uFFFD pair 😀", currentStep: "a\uFFFD" }),
    );
  });

  test("a transition on a head that has moved on is a conflict and changes nothing", async () => {
    const id = newExecution();
    const [stays] = await startAt(id);
    const head = await world().log.head(id);
    for (const seq of [0, 2, 7]) {
      const stale = transition(id, {
        head: { seq, digest: genesisDigest },
        row: { status: "failed" },
        settled: stays === undefined ? [] : [stays.commandId],
        issued: [command(id, "never")],
      });
      expect(await world().log.append([stale])).toEqual(["conflict"]);
    }
    expect(await world().log.head(id)).toEqual(head);
    expect(await world().log.events(id, 0, 10)).toHaveLength(1);
    expect(await claimAll()).toEqual(["stays"]);
  });

  test("a transition on an execution that doesn't exist is a conflict", async () => {
    const id = newExecution();
    const orphan = transition(id, { head: { seq: 1, digest: genesisDigest } });
    expect(await world().log.append([orphan])).toEqual(["conflict"]);
    expect(await world().log.head(id)).toBeUndefined();
    expect(await world().log.events(id, 0, 10)).toEqual([]);
  });

  test("of a hundred parallel appends on one head exactly one is accepted", async () => {
    const id = newExecution();
    for (let seq = 0; seq < 3; seq++) {
      const digest = (await world().log.head(id))?.digest ?? genesisDigest;
      const verdicts = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const [verdict] = await world().log.append([transition(id, { head: { seq, digest } })]);
          return verdict;
        }),
      );
      expect(verdicts.filter((verdict) => verdict === "accepted")).toHaveLength(1);
      expect(verdicts.filter((verdict) => verdict === "conflict")).toHaveLength(99);
    }
    const log = await world().log.events(id, 0, 10);
    expect(log.map(({ event }) => event.seq)).toEqual([1, 2, 3]);
  });

  test("two transitions of one execution in one call are a bug of the caller", async () => {
    const id = newExecution();
    const twice = world().log.append([transition(id), transition(id)]);
    expect(await thrownBy(twice)).toBeInstanceOf(InvariantViolation);
    expect(await world().log.head(id)).toBeUndefined();
  });

  test("one command issued by two executions in one call is a bug of the caller", async () => {
    const [one, two] = [newExecution(), newExecution()];
    const issued = [command(one, "shared")];
    const both = [transition(one, { issued }), transition(two, { issued })];
    expect(await thrownBy(world().log.append(both))).toBeInstanceOf(InvariantViolation);
    expect(await world().log.head(one)).toBeUndefined();
  });

  test("a transition without events, or with a gap, is a bug of the caller", async () => {
    const id = newExecution();
    const gap = { ...transition(id), events: eventsAfter(id, { seq: 1, digest: "" }, [plainTail]) };
    for (const wrong of [transition(id, { tails: [] }), gap]) {
      expect(await thrownBy(world().log.append([wrong]))).toBeInstanceOf(InvariantViolation);
    }
    expect(await world().log.head(id)).toBeUndefined();
  });

  test("committed, but the caller saw an error: the head tells, and a repeat is a conflict", async () => {
    const id = newExecution();
    const lost = transition(id, { issued: [command(id, "once")] });
    world().loseReplyOnce();
    const fault = await thrownBy(world().log.append([lost]));
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toHaveProperty("code", "unavailable");
    expect((await world().log.head(id))?.seq).toBe(1);
    expect(await world().log.append([lost])).toEqual(["conflict"]);
    expect(await claimAll()).toEqual(["once"]);
  });

  const startAt = async (id: ReturnType<typeof newExecution>) => {
    const issued = [command(id, "stays")];
    await world().log.append([transition(id, { issued })]);
    return issued;
  };
  const claimAll = async (): Promise<readonly unknown[]> => {
    const rows = await world().log.claim({
      worker: "w",
      pools: ["default"],
      want: 100,
      leaseMs: 60_000,
    });
    return rows.map(({ payload }) => (payload as { step: string }).step);
  };
}

function batches(world: World): void {
  test("a refused transition doesn't hinder its neighbours", async () => {
    const [before, stale, after] = [newExecution(), newExecution(), newExecution()];
    const verdicts = await world().log.append([
      transition(before),
      transition(stale, { head: { seq: 4, digest: genesisDigest } }),
      transition(after, { issued: [command(after, "go")] }),
    ]);
    expect(verdicts).toEqual(["accepted", "conflict", "accepted"]);
    expect((await world().log.head(before))?.seq).toBe(1);
    expect((await world().log.head(after))?.seq).toBe(1);
  });

  test("verdicts stand in the order of the call, whatever the order of the ids", async () => {
    const ids = Array.from({ length: 20 }, newExecution).reverse();
    const odd = ids.filter((_, index) => index % 2 === 1);
    await world().log.append(odd.map((id) => transition(id)));
    const verdicts = await world().log.append(ids.map((id) => transition(id)));
    expect(verdicts).toEqual(ids.map((id) => (odd.includes(id) ? "conflict" : "accepted")));
  });

  test("batches over the same executions in opposite orders don't hinder each other", async () => {
    const ids = Array.from({ length: 10 }, newExecution);
    for (let seq = 0; seq < 3; seq++) {
      const heads = await Promise.all(ids.map((id) => world().log.head(id)));
      const next = (id: (typeof ids)[number]) => {
        const digest = heads[ids.indexOf(id)]?.digest ?? genesisDigest;
        return transition(id, { head: { seq, digest }, issued: [command(id, "one")] });
      };
      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const order = n % 2 === 0 ? ids : [...ids].reverse();
          return world().log.append(order.map(next));
        }),
      );
      const accepted = answers.flat().filter((verdict) => verdict === "accepted");
      expect(accepted).toHaveLength(ids.length);
    }
  });

  test("two hundred transitions of several events and commands are stored whole", async () => {
    const ids = Array.from({ length: 200 }, newExecution);
    const tails = Array.from({ length: 5 }, (_, n) => `"name":"n","data":"${"x".repeat(n * 500)}"`);
    const issue = (id: (typeof ids)[number]) => [command(id, "a"), command(id, "b")];
    const started = ids.map((id) => transition(id, { tails, issued: issue(id) }));
    expect(new Set(await world().log.append(started))).toEqual(new Set(["accepted"]));
    for (const { row, events } of started.slice(0, 20)) {
      const stored = await world().log.events(row.executionId, 0, 100);
      expect(stored.map(({ text }) => text)).toEqual(events.map(({ text }) => text));
    }
    expect(await world().log.backlog()).toEqual([{ pool: "default", ready: 400, leased: 0 }]);
    const ended = started.map(({ row, events, issued }) =>
      transition(row.executionId, {
        head: { seq: 5, digest: events[4]?.digest ?? "" },
        settled: issued.map(({ commandId }) => commandId),
      }),
    );
    expect(new Set(await world().log.append(ended))).toEqual(new Set(["accepted"]));
    expect(await world().log.backlog()).toEqual([]);
  });

  test("an empty call has an empty answer", async () => {
    expect(await world().log.append([])).toEqual([]);
  });
}

function texts(world: World): void {
  /** Told with escapes written out: these are the characters of the log's text. */
  const tails: Readonly<Record<string, string>> = {
    "escaped NUL": String.raw`"name":"a\u0000b"`,
    "half a surrogate pair": String.raw`"name":"\ud800"`,
    "minus zero and forms of numbers": '"name":"n","data":[-0,1.0,1e400,-1E-7,0.10]',
    "numbers beyond doubles": '"name":"n","data":123456789012345678901234567890',
    "a key told twice": '"name":"n","data":{"b":1,"a":2,"b":3}',
    "spaces and keys out of order": '"name" : "n" ,\n\t"data":{ "z":1, "a":2 }',
    "every plane": '"name":"žluť 漢字 😀 \u2028 \u0085"',
    "quotes, backslashes, dollars": String.raw`"name":"\"\\ $1 ' '' $noetl$ {} %s"`,
    "a key that is a prototype": '"name":"n","data":{"__proto__":{"a":1}}',
    "a hundred kilobytes": `"name":"n","data":"${"0123456789".repeat(10_240)}"`,
    "two thousand levels": `"name":"n","data":${"[".repeat(2_000)}${"]".repeat(2_000)}`,
  };
  for (const [what, tail] of Object.entries(tails)) {
    test(`byte for byte: ${what}`, async () => {
      const id = newExecution();
      const appended = transition(id, { tails: [tail, plainTail] });
      expect(await world().log.append([appended])).toEqual(["accepted"]);
      const stored = await world().log.events(id, 0, 10);
      expect(stored.map(({ text }) => text)).toEqual(appended.events.map(({ text }) => text));
      expect(stored.map(({ event }) => event)).toEqual(appended.events.map(({ event }) => event));
    });
  }

  test("the chain of digests can be checked from what is stored", async () => {
    const id = newExecution();
    await world().log.append([transition(id, { tails: Object.values(tails) })]);
    await continueWith(world().log, id, { tails: [plainTail, plainTail] });
    let digest = genesisDigest;
    for (const stored of await world().log.events(id, 0, 100)) {
      digest = chainDigest(digest, stored.text, sha256);
      expect(stored.digest).toBe(digest);
    }
    expect((await world().log.head(id))?.digest).toBe(digest);
  });

  test("events come oldest first, after a seq, up to a limit", async () => {
    const id = newExecution();
    await world().log.append([transition(id, { tails: Array(12).fill(plainTail) })]);
    const page = async (after: number, limit: number) =>
      (await world().log.events(id, after, limit)).map(({ event }) => event.seq);
    expect(await page(0, 3)).toEqual([1, 2, 3]);
    expect(await page(3, 100)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await page(12, 5)).toEqual([]);
    expect(await world().log.events(newExecution(), 0, 5)).toEqual([]);
  });
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}
