// The event log's contract on Neon, in both of the ways to it, and what is left when the reply to
// an append is lost on the way.
import { expect, test } from "bun:test";
import { sqlEventLog } from "#control/store/event-log";
import { migrate } from "#control/store/migrate";
import { Fault } from "#core/model/fault";
import { neonWays, neonWorld } from "#tests/support/neon";
import { sqlEventLogContract } from "./sql-event-log.ts";
import { newExecution, transition } from "./transitions.ts";

const world = neonWorld();

for (const way of neonWays) {
  sqlEventLogContract(way.name, () => world.open(way));

  test(`an append on ${way.name} whose reply is lost is stored, and its caller is told that it can't be known`, async () => {
    const database = await world.newDatabase();
    const sql = way.open(database);
    await migrate(sql);
    const log = sqlEventLog(sql);
    const first = transition(newExecution());
    database.proxy.loseReplyOnce("insert into noetl.event ");
    const thrown: unknown = await log.append([first]).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Fault);
    expect(thrown).toMatchObject({ code: "unavailable" });
    expect((await log.head(first.row.executionId))?.seq).toBe(first.events.length);
    expect(await log.append([first])).toEqual(["conflict"]);
    await log.close();
  });
}
