// Rows that somebody changed or deleted in the database itself: verification says so, a rebuild
// puts them right from the log while the system runs, and the execution comes to its end.

import { describe, expect, test } from "bun:test";
import { catchUp } from "#control/services/projections";
import { rebuildExecution } from "#control/services/rebuild";
import { verifyExecution } from "#control/services/verify";
import { postgresWorld } from "#tests/contract/postgres-world";
import { eventually, onDatabase, type World } from "#tests/support/control";
import { done, handWorker } from "#tests/support/hand-worker";
import { type BusyName, busyDatabase } from "./busy-database.ts";

interface Damage {
  readonly name: string;
  readonly to: BusyName | "parentUntold";
  /** `$id` is the execution. */
  readonly sql: readonly string[];
  readonly found: RegExp;
}

const own = "command_id like '$id:%'";

const damages: readonly Damage[] = [
  {
    name: "a command row that is gone",
    to: "working",
    sql: [`delete from noetl.command where ${own}`],
    found: /^command \d+:s1:1 is open and has no row$/,
  },
  {
    name: "all rows of a loop that are gone",
    to: "looping",
    sql: [`delete from noetl.command where ${own}`],
    found: /^command \d+:each:1:i\d is open and has no row$/,
  },
  {
    name: "a timer that is gone",
    to: "waiting",
    sql: [`delete from noetl.command where ${own}`],
    found: /^command \d+:s1:1 is open and has no row$/,
  },
  {
    name: "a row at another attempt",
    to: "working",
    sql: [`update noetl.command set attempt = 7 where ${own}`],
    found: /^the row of command \d+:s1:1 is tool at attempt 7 of execution \d+, expected tool 1$/,
  },
  {
    name: "a row with another payload",
    to: "working",
    sql: [`update noetl.command set payload = '{"step": "s1"}' where ${own}`],
    found: /^the row of command \d+:s1:1 has another payload than the log$/,
  },
  {
    name: "a timer turned into a call",
    to: "waiting",
    sql: [`update noetl.command set kind = 'tool' where ${own}`],
    found: /is tool at attempt 1 of execution \d+, expected timer 1$/,
  },
  {
    name: "a row that nothing asked for",
    to: "working",
    sql: [
      `insert into noetl.command (command_id, execution_id, kind, pool, attempt, status, ready_at,
        held_until, payload) values ('$id:ghost:1', $id, 'tool', 'nowhere', 1, 'ready', now(),
        now(), '{}')`,
    ],
    found: /^row \d+:ghost:1 \(tool\) belongs to no open command$/,
  },
  {
    name: "a head that is too low",
    to: "working",
    sql: ["update noetl.execution set head = 1 where execution_id = $id"],
    found: /^event 2 stands after the head, 1$|^the projection stands at event 3, the log at 1$/,
  },
  {
    name: "a head that is too high",
    to: "working",
    sql: ["update noetl.execution set head = 9 where execution_id = $id"],
    found: /^the row's head is 9, the log ends with event 3$/,
  },
  {
    name: "a digest of something else",
    to: "working",
    sql: ["update noetl.execution set digest = '\\x00' where execution_id = $id"],
    found: /^the row's digest is 00, the log's is [0-9a-f]{64}$/,
  },
  {
    name: "a status that the log doesn't know",
    to: "working",
    sql: [
      "update noetl.execution set status = 'completed', ended_at = now() where execution_id = $id",
    ],
    found:
      /^the row's (?:status is completed|endedAtMs is \d+(?:\.\d+)?), the log says (?:running|nothing)$/,
  },
  {
    name: "an ended execution that is shown as running",
    to: "completed",
    sql: [
      "update noetl.execution set status = 'running', ended_at = null where execution_id = $id",
    ],
    found: /^the row's (?:status|endedAtMs) is (?:running|nothing), the log says/,
  },
  {
    name: "an execution's row that is gone",
    to: "working",
    sql: ["delete from noetl.execution where execution_id = $id"],
    found: /^the log has events and the execution has no row$/,
  },
  {
    name: "a quarantine without a reason",
    to: "working",
    sql: ["insert into noetl.quarantine (execution_id, reason) values ($id, 'a whim')"],
    found: /^it is quarantined: a whim$/,
  },
  {
    name: "a child that no row starts",
    to: "parentWaiting",
    sql: [`delete from noetl.command where ${own}`],
    found: /^child \d+ of command \d+:start:1 never starts: no row asks for it$/,
  },
  {
    name: "the end of a child that no row tells",
    to: "parentUntold",
    sql: ["delete from noetl.command where kind = 'child.done'"],
    found: /^the end of child \d+ is told by no row, \d+:start:1 waits for it$/,
  },
  {
    name: "stages that are gone",
    to: "looped",
    sql: ["delete from noetl.stage where execution_id = $id and step = 'each'"],
    found: /^stage each 1 of event 2 is missing$|^the projection has 1 stages, the log 2$/,
  },
  {
    name: "a projection that remembers something else",
    to: "looping",
    sql: [`update noetl.projection set memory = '{"open":[],"calls":[]}' where execution_id = $id`],
    found: /^the projection remembers other open calls than the log$/,
  },
  {
    name: "a projection that is ahead of the log",
    to: "looped",
    sql: ["update noetl.projection set seq = 999 where execution_id = $id"],
    found: /^the projection stands at event 999, the log at \d+$/,
  },
  {
    name: "a garbled snapshot",
    to: "looped",
    sql: [`update noetl.snapshot set state = replace(state, '"', '''') where execution_id = $id`],
    found: /^the snapshot of event \d+ is not what the log says$/,
  },
];

const database = postgresWorld();

onDatabase("PostgreSQL", database.open, (shelf) => {
  const damaged = async ({ to, sql }: Damage) => {
    const busy = shelf().open({ snapshotEvents: 10 });
    const { ids } = await busyDatabase(busy);
    const { world, id } =
      to === "parentWaiting"
        ? await heldParent(busy, ["child.start"])
        : to === "parentUntold"
          ? await heldParent(busy, ["child.done"])
          : { world: busy, id: ids[to] };
    await catchUp(world.control.executions.context, id);
    for (const statement of sql) await shelf().sql?.query(statement.replaceAll("$id", id));
    return { world, id };
  };

  describe("damage in the database", () => {
    for (const damage of damages) {
      test(`${damage.name} is found, put right, and the execution ends`, async () => {
        const { world, id } = await damaged(damage);
        const { context } = world.control.executions;
        const before = await verifyExecution(context, id);
        expect(before.problems.length).toBeGreaterThan(0);
        for (const problem of before.problems) expect(problem).toMatch(damage.found);

        const rebuilt = await rebuildExecution(context, id, { projections: true, repair: true });
        expect(rebuilt.problems).toEqual([]);
        expect((await verifyExecution(context, id)).problems).toEqual([]);
        await end(world.another(), id);
        expect((await verifyExecution(context, id)).problems).toEqual([]);
      }, 30_000);
    }
  });

  test("damage to the log itself is told and left", async () => {
    const world = shelf().open();
    const { ids } = await busyDatabase(world);
    const { context } = world.control.executions;
    const cases: readonly (readonly [BusyName, string, RegExp])[] = [
      ["completed", "delete from noetl.event where execution_id = $id and seq = 4", /^event 4: /],
      [
        "looped",
        `update noetl.event set payload = replace(payload::text, '"n":1', '"n":2')::json
        where execution_id = $id and type = 'call.done'`,
        /^event \d+: digest is/,
      ],
      [
        "working",
        "delete from noetl.event where execution_id = $id and seq = 3",
        /^the row's head is 3, the log ends with event 2$|^row \d+:s1:1/,
      ],
    ];
    for (const [name, sql, found] of cases) {
      const id = ids[name];
      await shelf().sql?.query(sql.replaceAll("$id", id));
      const { problems } = await verifyExecution(context, id);
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) expect(problem).toMatch(found);
    }
    for (const name of ["completed", "looped"] as const) {
      const { repaired, problems } = await rebuildExecution(context, ids[name], {
        projections: false,
        repair: true,
      });
      expect(repaired).toEqual([]);
      expect(problems.length).toBeGreaterThan(0);
    }
  }, 30_000);
});

/** A parent whose child's rows of these kinds no sweep acts on; the child has run, if it could. */
async function heldParent(busy: World, kinds: readonly string[]) {
  await busy.control.stop();
  const world = busy.another({
    wrap: ({ log }) => ({
      log: {
        ...log,
        due: async (...asked) =>
          (await log.due(...asked)).filter(({ kind }) => !kinds.includes(kind)),
      },
    }),
  });
  const id = await world.start("t/parent");
  if (kinds.includes("child.start")) return { world, id };
  const worker = handWorker(world.client);
  await eventually(async () => {
    await worker.drain();
    const [child] = await world.stores.log.children(id);
    return child?.status === "completed" ? true : undefined;
  });
  return { world, id };
}

/** Whatever the execution waits for comes about. */
async function end(world: World, id: Parameters<World["ended"]>[0]): Promise<void> {
  for (;;) {
    const head = await world.stores.log.head(id);
    if (head !== undefined && head.row.status !== "running") return;
    const rows = await world.stores.repair.rowsOf(id);
    for (const { kind, commandId, payload } of rows) {
      if (kind !== "timer") continue;
      expect(payload).toMatchObject({ checkpoint: { label: "task_0" } });
      await world.client.cancelExecution({ params: { id }, body: { reason: commandId } });
    }
    const worker = handWorker(world.client);
    const leased = rows.filter(({ kind }) => kind === "tool");
    await worker.settle(
      leased.map(({ commandId, attempt }) => done({ command_id: commandId, attempt })),
    );
    await worker.drain();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
