// A frame of a cursor loop on a worker: rows are recorded before any is worked on, failed rows have
// the frame run again, and every row keeps its idempotency keys.

import { describe, expect, test } from "bun:test";
import type { FrameBinding, TaskSpec, WorkerCommand } from "#core/model/command";
import type { FrameEntry } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { Json } from "#core/model/json";
import type { Outcome, Output, ResultRef } from "#core/model/outcome";
import type { ControlPlane, Settle, SettleVerdict } from "#core/ports/control-plane";
import { virtualClock } from "#tests/support/virtual-clock";
import { CommandRun } from "#worker/command-run";
import { givenTools } from "#worker/registry";
import { runCommand } from "#worker/run-command";
import type { Tool } from "#worker/tools/tool";
import { command, failed, ok, quietControl, task, testServices, tool } from "./commands.ts";

const settings: FrameEntry = {
  max_rows: 10,
  max_bytes: 1_000_000,
  max_seconds: 7,
  lease_seconds: 120,
  heartbeat_seconds: 30,
  row_concurrency: 1,
  max_attempts: 1,
  frames_max: 100,
  process: "row",
};

interface Given {
  readonly settings?: Partial<FrameEntry>;
  readonly rows?: readonly Json[];
  readonly tasks?: readonly TaskSpec[];
  readonly attempt?: number;
  readonly claim?: TaskSpec;
}

function frameCommand(given: Given = {}): WorkerCommand {
  const binding: FrameBinding = {
    number: 3,
    key: "478775660589088776:work:1:f3",
    iterator: "row",
    settings: { ...settings, ...given.settings },
    driver: "postgres",
    claim: given.claim ?? task("claim", { kind: "postgres", config: { command: "take" } }),
    ...(given.rows === undefined ? {} : { rows: given.rows }),
  };
  const tasks = given.tasks ?? [body];
  const of = command(tasks, given.attempt === undefined ? {} : { attempt: given.attempt });
  return { ...of, frame: binding };
}

const body = task("body", { kind: "body", config: { id: null }, holes: { id: "{{ row.id }}" } });

const rowsOf = (count: number): readonly Json[] =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

const claimTool = (...answers: readonly Output[]): Tool & { readonly calls: Json[] } => {
  const calls: Json[] = [];
  const run = (config: Json): Output => {
    const answer = answers[Math.min(calls.length, answers.length - 1)];
    calls.push(config);
    return answer ?? ok({ rows: [] });
  };
  return { ...tool(run, "postgres"), calls };
};

const claims = (count: number): Output => ok({ rows: rowsOf(count), row_count: count });

interface House {
  readonly settled: Settle[];
  readonly released: string[];
  readonly outcome: Promise<Outcome>;
  readonly run: CommandRun;
  readonly clock: ReturnType<typeof virtualClock>;
}

/** Runs the frame with these tools; each settle is answered by the next verdict, or `accepted`. */
function start(
  of: WorkerCommand,
  tools: readonly Tool[],
  verdicts: readonly (SettleVerdict | Error)[] = [],
  given: Partial<ControlPlane> = {},
): House {
  const settled: Settle[] = [];
  const released: string[] = [];
  const clock = virtualClock();
  const control = quietControl({
    settle: async (settle) => {
      const verdict = verdicts[settled.length] ?? "accepted";
      settled.push(settle);
      if (verdict instanceof Error) throw verdict;
      return { verdicts: [verdict], commands: [] };
    },
    release: async (_worker, leases) => void released.push(...leases.map((l) => l.commandId)),
    ...given,
  });
  const services = testServices({ control, clock, tools: givenTools(tools) });
  const run = new CommandRun(of, clock.nowMs(), clock.nowMs() + of.lease_ms);
  return { settled, released, run, clock, outcome: runCommand(run, services) };
}

/** Lets a frame that waits go on, until it has ended. */
async function ended({ outcome, clock }: House): Promise<Outcome> {
  let isOver = false;
  void outcome.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
  }
  return outcome;
}

describe("claiming and recording", () => {
  test("no row is worked on before the rows are recorded", async () => {
    const story: string[] = [];
    const bodies = tool((config) => {
      story.push(`row ${String(config.id)}`);
      return ok(null);
    }, "body");
    const house = start(frameCommand(), [claimTool(claims(2)), bodies], [], {
      settle: async ({ outcomes }) => {
        story.push(`recording ${outcomes[0]?.claimed?.row_count}`);
        await new Promise((resolve) => setImmediate(resolve));
        story.push("recorded");
        return { verdicts: ["accepted"], commands: [] };
      },
    });
    const outcome = await house.outcome;
    expect(story).toEqual(["recording 2", "recorded", "row 1", "row 2"]);
    expect(outcome.output).toEqual({ status: "ok", data: { rows: 2, success: 2, failed: 0 } });
  });

  test("what is recorded names the frame, and asks for no work", async () => {
    const house = start(frameCommand(), [claimTool(claims(2)), tool(() => ok(null), "body")]);
    await house.outcome;
    expect(house.settled).toMatchObject([
      {
        want: 0,
        outcomes: [{ attempt: 1, claimed: { frame: 3, row_count: 2, rows: rowsOf(2) } }],
      },
    ]);
  });

  test("the claim is bounded by the frame, in time and in weight", async () => {
    const claim = claimTool(ok({ rows: [] }));
    await start(frameCommand(), [claim]).outcome;
    expect(claim.calls).toMatchObject([{ command: "take", timeout: 7, row_bytes_max: 1_000_000 }]);
  });

  test("an empty claim is an outcome, and nothing is recorded", async () => {
    const house = start(frameCommand(), [claimTool(ok({ rows: [] }))]);
    expect((await house.outcome).output.data).toEqual({ rows: 0, success: 0, failed: 0 });
    expect(house.settled).toEqual([]);
  });

  test("recorded rows are worked on without another claim", async () => {
    const claim = claimTool(claims(9));
    const house = start(frameCommand({ rows: rowsOf(2), attempt: 2 }), [
      claim,
      tool(() => ok(null), "body"),
    ]);
    expect((await house.outcome).output.data).toMatchObject({ rows: 2, success: 2 });
    expect(claim.calls).toEqual([]);
    expect(house.settled).toEqual([]);
  });

  test("rows that are more than an event may carry are stored first", async () => {
    const heavy = [{ id: 1, text: "x".repeat(120_000) }];
    const ref: ResultRef = {
      kind: "result_ref",
      ref: "noetl://rows",
      store: "db",
      scope: "execution",
      meta: { bytes: 120_000, media_type: "application/json" },
    };
    const stored: Json[] = [];
    const tools = [claimTool(ok({ rows: heavy })), tool(() => ok(null), "body")];
    const house = start(frameCommand(), tools, [], {
      putResult: async (_id, _name, value) => {
        stored.push(value);
        return ref;
      },
    });
    expect((await house.outcome).output.data).toMatchObject({ success: 1 });
    expect(stored).toEqual([heavy]);
    const [{ outcomes } = { outcomes: [] }] = house.settled;
    expect(outcomes[0]?.claimed).toEqual({ frame: 3, row_count: 1, rows_ref: ref });
  });

  test("a claim that may go well later is tried again, and no more often than allowed", async () => {
    const claim = claimTool(failed("pg"), claims(1));
    const tools = [claim, tool(() => ok(null), "body")];
    const house = start(frameCommand({ settings: { max_attempts: 3 } }), tools);
    expect((await ended(house)).output).toMatchObject({ status: "ok", data: { rows: 1 } });
    expect(claim.calls.length).toBe(2);
    const hopeless = claimTool(failed("pg"));
    const other = start(frameCommand({ settings: { max_attempts: 3 } }), [hopeless]);
    expect((await ended(other)).output).toMatchObject({ status: "error", error: { kind: "pg" } });
    expect(hopeless.calls.length).toBe(3);
  });

  test("a claim that fails for good is made once", async () => {
    const claim = claimTool(failed("pg", false));
    const house = start(frameCommand({ settings: { max_attempts: 3 } }), [claim]);
    expect((await house.outcome).output).toMatchObject({ error: { kind: "pg" } });
    expect(claim.calls.length).toBe(1);
  });

  test("rows that are somebody else's are not worked on, and the command is given back", async () => {
    for (const verdict of ["refused", "gone"] as const) {
      let worked = 0;
      const bodies = tool(() => {
        worked++;
        return ok(null);
      }, "body");
      const house = start(frameCommand(), [claimTool(claims(2)), bodies], [verdict]);
      await house.outcome;
      expect(worked).toBe(0);
      expect(house.released).toEqual([house.run.command.command_id]);
      expect(house.run.stopReason).toBe("draining");
    }
  });

  test("while nobody can be told, the rows wait", async () => {
    const away = new Fault("unavailable", "no control plane");
    const tools = [claimTool(claims(1)), tool(() => ok(null), "body")];
    const house = start(frameCommand(), tools, [away, "retry", "duplicate"]);
    expect((await ended(house)).output.data).toMatchObject({ rows: 1, success: 1 });
    expect(house.settled.length).toBe(3);
  });
});

test("a frame whose claim nobody can make is an outcome, and its tasks don't run", async () => {
  let worked = 0;
  const bodies = tool(() => {
    worked++;
    return ok(null);
  }, "body");
  const claim = task("claim", { kind: "postgres", holes: { command: "{{ 'x' + 1 }}" } });
  const house = start(frameCommand({ claim }), [claimTool(claims(1)), bodies]);
  expect((await house.outcome).output).toMatchObject({ error: { kind: "template" } });
  const other = start(frameCommand(), [bodies]);
  expect((await other.outcome).output).toMatchObject({ error: { code: "unknown_kind" } });
  expect(worked).toBe(0);
});

describe("working on rows", () => {
  test("only so many rows run at once", async () => {
    let running = 0;
    let most = 0;
    const bodies = tool(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return ok(null);
    }, "body");
    const of = frameCommand({ settings: { row_concurrency: 3 } });
    await start(of, [claimTool(claims(10)), bodies]).outcome;
    expect(most).toBe(3);
  });

  test("a row is known by its frame and place, over every run of the frame", async () => {
    const keys: string[] = [];
    const bodies = tool((_config, context) => {
      keys.push(context.idempotencyKey);
      return failed("body");
    }, "body");
    const of = frameCommand({ settings: { max_attempts: 2 } });
    const first = start(of, [claimTool(claims(2)), bodies]);
    expect((await ended(first)).output).toMatchObject({
      status: "error",
      error: { kind: "frame", message: "2 of 2 rows failed, first: body failed" },
      data: { rows: 2, success: 0, failed: 2 },
    });
    const again = start(frameCommand({ rows: rowsOf(2), attempt: 2 }), [bodies]);
    await again.outcome;
    expect(keys.length).toBe(6);
    expect(new Set(keys).size).toBe(2);
    expect(keys.slice(2, 4)).toEqual(keys.slice(0, 2));
    expect(keys.slice(4)).toEqual(keys.slice(0, 2));
  });

  test("a frame whose rows all went well the second time is done", async () => {
    let calls = 0;
    const bodies = tool(() => (++calls === 2 ? failed("body") : ok(null)), "body");
    const of = frameCommand({ settings: { max_attempts: 3 } });
    const house = start(of, [claimTool(claims(2)), bodies]);
    expect((await ended(house)).output).toMatchObject({ status: "ok", data: { success: 2 } });
    expect(calls).toBe(4);
  });

  test("rows see themselves, their place and their frame", async () => {
    const looks = task("body", {
      kind: "body",
      config: { seen: null },
      holes: {
        seen: "{{ [row.id, iter.row.id, _index, _total, frame.number, frame.row_count, frame.key] }}",
      },
    });
    const seen: Json[] = [];
    const bodies = tool((config) => {
      seen.push(config.seen ?? null);
      return ok(null);
    }, "body");
    await start(frameCommand({ tasks: [looks] }), [claimTool(claims(2)), bodies]).outcome;
    const key = "478775660589088776:work:1:f3";
    expect(seen).toEqual([
      [1, 1, 0, 2, 3, 2, key],
      [2, 2, 1, 2, 3, 2, key],
    ]);
  });

  test("a whole frame runs once, with the list of its rows", async () => {
    const looks = task("body", {
      kind: "body",
      config: { ids: null, rows: null },
      holes: { ids: "{{ row | map(attribute='id') | list }}", rows: "{{ frame.rows | length }}" },
    });
    const seen: Json[] = [];
    const bodies = tool((config) => {
      seen.push(config);
      return ok(null);
    }, "body");
    const of = frameCommand({ tasks: [looks], settings: { process: "frame" } });
    const house = start(of, [claimTool(claims(3)), bodies]);
    expect((await house.outcome).output.data).toEqual({ rows: 3, success: 3, failed: 0 });
    expect(seen).toEqual([{ ids: [1, 2, 3], rows: 3 }]);
  });

  test("what rows set reaches the execution, a later row's word last", async () => {
    const sets = task("body", { kind: "body", set: { "ctx.last": "{{ row.id }}" } });
    const of = frameCommand({ tasks: [sets], settings: { row_concurrency: 3 } });
    let wait = 3;
    const bodies = tool(async () => {
      for (let turns = wait--; turns > 0; turns--) await new Promise(setImmediate);
      return ok(null);
    }, "body");
    const house = start(of, [claimTool(claims(3)), bodies]);
    expect((await house.outcome).set).toEqual({ "ctx.last": 3 });
  });

  test("when the command's time is over, no further row is begun", async () => {
    let begun = 0;
    const of = { ...frameCommand(), timeout_ms: 5_000 };
    const bodies = tool(async () => {
      begun++;
      await house.clock.advance(3_000);
      return ok(null);
    }, "body");
    const house = start(of, [claimTool(claims(4)), bodies]);
    expect((await house.outcome).output).toMatchObject({
      status: "error",
      error: { kind: "timeout" },
      data: { rows: 4, success: 2, failed: 2 },
    });
    expect(begun).toBe(2);
  });

  test("a credential is read once for a frame, and waited for while nobody answers", async () => {
    const asked: string[] = [];
    const bodies = tool(async (_config, context) => {
      const { data } = await context.credential("db");
      return ok(data);
    }, "body");
    const claim = { ...claimTool(claims(5)) };
    const house = start(frameCommand(), [claim, bodies], [], {
      credential: async (_worker, _id, alias) => {
        asked.push(alias);
        if (asked.length < 3) throw new Fault("unavailable", "no control plane");
        return { name: alias, type: "postgres", data: { host: "h" } };
      },
    });
    expect((await ended(house)).output).toMatchObject({ status: "ok", data: { success: 5 } });
    expect(asked).toEqual(["db", "db", "db"]);
  });
});
