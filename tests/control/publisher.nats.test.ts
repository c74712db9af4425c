// The mirror on real servers, with real processes that are killed: whatever happens, in the end the
// stream holds the whole log, and what it holds twice has the same id.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import type { Stores } from "#core/ports/stores";
import { postgresWorld } from "#tests/contract/postgres-world";
import { continueWith, newExecution, plainTail, transition } from "#tests/contract/transitions";
import { eventually } from "#tests/support/control";
import { deleteMirroredStream, mirroredMessages } from "#tests/support/mirrored-stream";
import { type ScratchNats, startNats } from "#tests/support/nats";

const processPath = fileURLToPath(new URL("./publisher-process.ts", import.meta.url));
const postgres = postgresWorld();
let nats: ScratchNats | undefined;
let children: Bun.Subprocess[] = [];
beforeAll(async () => {
  nats = await startNats();
}, 60_000);
afterAll(() => nats?.stop());
afterEach(async () => {
  await Promise.all(children.map(kill));
  children = [];
});

const server = (): ScratchNats => {
  if (nats === undefined) throw new Error("expected the hooks to have run");
  return nats;
};

async function kill(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

async function house() {
  const url = await postgres.newDatabase();
  const sql: Sql = openPostgres(url);
  await migrate(sql);
  const stores = sqlStores(sql);
  const begin = (): Bun.Subprocess => {
    const child = Bun.spawn([process.execPath, processPath], {
      env: { ...process.env, DATABASE_URL: url, NATS_URL: server().url },
      stdio: ["ignore", "ignore", "inherit"],
    });
    children.push(child);
    return child;
  };
  return { stores, begin };
}

/** Starts executions and goes on with them, a few events at a time. */
async function write(stores: Stores, executions: number): Promise<void> {
  for (let n = 0; n < executions; n++) {
    const id = newExecution();
    await stores.log.append([transition(id, { tails: [plainTail, plainTail] })]);
    await continueWith(stores.log, id, { tails: [plainTail] });
  }
}

async function eventIds(stores: Stores): Promise<readonly string[]> {
  const { entries } = await stores.feed.after(undefined, { limit: 100_000 });
  return entries.map(({ event }) => event.event_id).toSorted();
}

/** How many of the log's events the stream lacks. */
async function missing(stores: Stores): Promise<number> {
  const held = new Set((await mirroredMessages(server().url).catch(() => [])).map(({ id }) => id));
  return (await eventIds(stores)).filter((id) => !held.has(id)).length;
}

const whole = (stores: Stores) =>
  eventually(async () => ((await missing(stores)) === 0 ? true : undefined));

/** Resolves when the stream has grown, or has all there is. */
const someMirrored = (stores: Stores, before: number) =>
  eventually(async () => {
    const now = await missing(stores);
    return now < before || now === 0 ? true : undefined;
  });

test("publishers that are killed one after the other leave nothing out", async () => {
  const { stores, begin } = await house();
  await write(stores, 60);
  for (let round = 0; round < 3; round++) {
    const children = [begin(), begin()];
    await write(stores, 60);
    await someMirrored(stores, await missing(stores));
    await Promise.all(children.map(kill));
  }
  await write(stores, 10);
  begin();
  await whole(stores);
  const ids = (await mirroredMessages(server().url)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  await stores.close();
}, 60_000);

test("the stream holds the whole log after NATS was killed, and after the stream was deleted", async () => {
  const { stores, begin } = await house();
  await write(stores, 20);
  begin();
  await whole(stores);
  await server().kill();
  await write(stores, 20);
  await server().start();
  await whole(stores);
  await deleteMirroredStream(server().url);
  await write(stores, 20);
  await whole(stores);
  await deleteMirroredStream(server().url);
  await whole(stores);
  await stores.close();
}, 60_000);
