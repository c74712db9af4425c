// The contract of step logs, told against the port alone.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CommandId, type ExecutionId, executionId, snowflake } from "#core/model/ids";
import { stepLogLineBytes, stepLogPurgedLinesMax } from "#core/model/limits";
import type { StepLogFilter, StepLogLine, StepLogs, StoredLogLine } from "#core/ports/step-logs";

export interface StepLogWorld {
  readonly logs: StepLogs;
  close(): Promise<void>;
}

/** What one execution may take in the contract: ten lines of ten letters. */
export const contractBytesMax = 10 * (10 + stepLogLineBytes);

interface World {
  readonly open: () => Promise<StepLogWorld>;
  /** The same stores with room for `contractBytesMax` in each execution. */
  readonly openSmall: () => Promise<StepLogWorld>;
}

let minted = 0;
const mint = (): ExecutionId =>
  executionId(snowflake({ timeMs: 1_790_000_000_000, machine: 7, sequence: ++minted }));

let seqs = 0;
const line = (id: ExecutionId, text: string, parts: Partial<StepLogLine> = {}): StepLogLine => ({
  executionId: id,
  commandId: `${id}:s:1` as CommandId,
  attempt: 1,
  step: "s",
  label: "task",
  stream: "stdout",
  seq: ++seqs,
  timeMs: 1_790_000_000_123,
  text,
  ...parts,
});

const all: StepLogFilter = { afterPosition: 0, limit: 10_000 };
const texts = (lines: readonly StoredLogLine[]) => lines.map(({ text }) => text);

/** Runs the contract on the step logs that `open` makes once, empty. */
export function stepLogContract(name: string, world: World): void {
  describe(`step logs on ${name}`, () => {
    const opened: StepLogWorld[] = [];
    const at = (index: number): StepLogs => {
      const found = opened[index];
      if (found === undefined) throw new Error(`${name} did not open`);
      return found.logs;
    };
    const logs = (): StepLogs => at(0);
    const small = (): StepLogs => at(1);
    beforeAll(async () => {
      opened.push(await world.open(), await world.openSmall());
    }, 60_000);
    afterAll(() => Promise.all(opened.map(({ close }) => close())));

    test("a line comes back as it went in, with its position", async () => {
      const id = mint();
      const given = line(id, "héllo 🙂 \t%s\n{{ x }}", { stream: "stderr", label: "t-2" });
      const kept = await logs().append("w1", [given]);
      const { seq: _, ...rest } = given;
      expect(kept).toEqual([{ ...rest, position: 1 }]);
      expect(await logs().read(id, all)).toEqual([{ ...rest, position: 1 }]);
    });

    test("text that no database takes is kept with the places marked", async () => {
      const id = mint();
      await logs().append("w1", [line(id, "a\0b\uD800c")]);
      expect(texts(await logs().read(id, all))).toEqual(["a\uFFFDb\uFFFDc"]);
    });

    test("lines of many executions in one call keep their order in each", async () => {
      const [one, two] = [mint(), mint()];
      const given = [line(two, "1"), line(one, "2"), line(two, "3"), line(one, "4")];
      const kept = await logs().append("w1", given);
      expect(kept.map(({ position, text }) => [position, text])).toEqual([
        [1, "1"],
        [1, "2"],
        [2, "3"],
        [2, "4"],
      ]);
      await logs().append("w2", [line(one, "5")]);
      expect(texts(await logs().read(one, all))).toEqual(["2", "4", "5"]);
      expect(texts(await logs().read(two, all))).toEqual(["1", "3"]);
    });

    test("what a worker sends again is kept once, and what is new in it is kept", async () => {
      const id = mint();
      const [a, b, c] = [line(id, "a"), line(id, "b"), line(id, "c")];
      await logs().append("again", [a, b]);
      expect(texts(await logs().append("again", [a, b, c]))).toEqual(["c"]);
      expect(await logs().append("again", [a, b, c])).toEqual([]);
      expect(texts(await logs().read(id, all))).toEqual(["a", "b", "c"]);
      expect(texts(await logs().append("another", [a]))).toEqual(["a"]);
    });

    test("a request that is sent twice at the same time is kept once", async () => {
      const id = mint();
      // The worker is known already, as it mostly is.
      await logs().append("twice", [line(id, "before")]);
      const given = Array.from({ length: 20 }, (_, n) => line(id, `${n}`));
      await Promise.all([1, 2, 3, 4].map(() => logs().append("twice", given)));
      const expected = ["before", ...given.map(({ text }) => text)];
      expect(texts(await logs().read(id, all))).toEqual(expected);
    });

    test("many workers at the same time leave no gap behind a reader", async () => {
      const id = mint();
      const workers = ["p1", "p2", "p3", "p4"];
      const batch = () => Array.from({ length: 5 }, (_, n) => line(id, `${n}`));
      const seen: number[] = [];
      const look = async (): Promise<void> => {
        const filter = { afterPosition: seen.at(-1) ?? 0, limit: 7 };
        for (const { position } of await logs().read(id, filter)) seen.push(position);
      };
      const writing = workers.map(async (worker) => {
        for (let round = 0; round < 5; round++) await logs().append(worker, batch());
      });
      const written = Promise.all(writing);
      for (let round = 0; round < 10; round++) await look();
      await written;
      while (seen.length < 100) await look();
      expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    });

    test("lines are found by step, command, attempt and stream, behind a position, by page", async () => {
      const id = mint();
      const other = `${id}:t:1` as CommandId;
      await logs().append("w3", [
        line(id, "a"),
        line(id, "b", { step: "t", commandId: other }),
        line(id, "c", { attempt: 2 }),
        line(id, "d", { stream: "log" }),
        line(id, "e", { step: "t", commandId: other, attempt: 2, stream: "stderr" }),
      ]);
      const found = async (filter: Partial<StepLogFilter>) =>
        texts(await logs().read(id, { ...all, ...filter })).join("");
      expect(await found({})).toBe("abcde");
      expect(await found({ step: "t" })).toBe("be");
      expect(await found({ commandId: other })).toBe("be");
      expect(await found({ attempt: 2 })).toBe("ce");
      expect(await found({ stream: "stdout" })).toBe("abc");
      expect(await found({ step: "t", attempt: 2, stream: "stderr", commandId: other })).toBe("e");
      expect(await found({ afterPosition: 2, limit: 2 })).toBe("cd");
      expect(await found({ step: "nosuch" })).toBe("");
      expect(await logs().read(mint(), all)).toEqual([]);
    });

    test("an execution that is full keeps what it has, and counts the rest", async () => {
      const [id, other] = [mint(), mint()];
      const ten = "0123456789";
      const given = Array.from({ length: 9 }, () => line(id, ten));
      await small().append("full", given);
      expect(await small().refused(id)).toBe(0);
      const rest = [line(id, `${ten}1`), line(other, "mine")];
      expect(texts(await small().append("full", rest))).toEqual(["mine"]);
      expect(await small().refused(id)).toBe(1);
      // It would fit, but stood behind what is missing.
      expect(await small().append("full", [line(id, "")])).toEqual([]);
      expect((await small().read(id, all)).length).toBe(9);
      expect(await small().refused(id)).toBe(2);
      expect(await small().refused(other)).toBe(0);
    });

    test("the purge takes what is old, in bounded pieces, and leaves the rest", async () => {
      const [old, large] = [mint(), mint()];
      await small().append("purge", [line(old, "a"), line(old, "b")]);
      expect(await small().purge()).toBe(0);
      expect(await small().purge(3_600_000)).toBe(0);
      expect(texts(await small().read(old, all))).toEqual(["a", "b"]);
      const lines = Array.from({ length: stepLogPurgedLinesMax + 5 }, () => line(large, ""));
      await logs().append("purge", lines);
      // Below zero, everything that there is counts as old.
      expect(await logs().purge(-60_000)).toBeLessThanOrEqual(stepLogPurgedLinesMax);
      while ((await logs().purge(-60_000)) > 0);
      expect(await logs().read(large, all)).toEqual([]);
      await logs().append("purge", [line(large, "fresh")]);
      expect(texts(await logs().read(large, all))).toEqual(["fresh"]);
      expect(await logs().purge()).toBe(0);
    });
  });
}
