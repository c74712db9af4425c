// A control plane on memory or PGlite stores, without a worker: tests claim and settle by hand
// through the typed client, and may put something between the services and their stores.

import { afterAll, afterEach, beforeAll, beforeEach, describe } from "bun:test";
import { type Access, openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import type { KeychainOptions } from "#control/keychain/options";
import { fixedKeys } from "#control/secrets/key-ring";
import { sealsOf } from "#control/secrets/sealed";
import { vaultCredentials } from "#control/secrets/source";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { verifyLog } from "#core/engine/verify";
import type { Event } from "#core/model/event";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { leaseMs, sweepMs } from "#core/model/limits";
import type { Bus } from "#core/ports/bus";
import type { Clock } from "#core/ports/clock";
import type { CredentialRecord } from "#core/ports/control-plane";
import type { EventLog, StoredEvent } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { scratchPglite } from "#tests/contract/pglite-world";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

export const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

export interface WorldOptions {
  /** Puts something between the control plane and the store. */
  readonly wrap?: (stores: Stores) => Partial<Stores>;
  /** What the control plane takes for the time; the machine's own without it. */
  readonly clock?: Clock;
  readonly statesMax?: number;
  /** Events after which a state is written down. */
  readonly snapshotEvents?: number;
  /** As in the embedded shape: no worker outlived the start of the control plane. */
  readonly workersAreNew?: boolean;
  readonly credentials?: readonly CredentialRecord[];
  /** What tokens of waits are signed with; without it there are none. */
  readonly waitKey?: string;
  /** How providers of secrets are reached. */
  readonly keychainOptions?: KeychainOptions;
  /** False for a control plane without a master key. */
  readonly seals?: false;
  /** Who is let in; everybody without it, as who runs the installation. */
  readonly access?: (stores: Stores, clock: Clock) => Access;
}

/** One control plane, and all that a test may look at. */
export interface World {
  readonly client: ApiClient;
  readonly control: Control;
  readonly stores: Stores;
  readonly bus: Bus;
  readonly reports: readonly string[];
  register(content: string): Promise<string>;
  start(path: string, workload?: JsonObject): Promise<ExecutionId>;
  /** Another control plane over the same stores: a replica, or the next process after a crash. */
  another(options?: WorldOptions): World;
  events(id: ExecutionId): Promise<readonly Event[]>;
  /** Problems of the log, which is whole when there are none. */
  problems(id: ExecutionId): Promise<readonly string[]>;
  /** Resolves once the execution has ended, with its status. */
  ended(id: ExecutionId): Promise<string>;
}

/** How a test gets control planes on one kind of store. */
export interface Shelf {
  readonly kind: "memory" | "PGlite" | "PostgreSQL";
  open(options?: WorldOptions): World;
  /** The clock that `open` may be given, and by which leases of the memory store run out. */
  readonly clock: VirtualClock;
  /** Lets every lease run out that is held now; sweeps go on meanwhile as they would. */
  passLeases(world: World): Promise<void>;
  /** Not on memory: the database itself. */
  readonly sql: Sql | undefined;
}

/** Tells the same tests on memory and on PGlite, each test with an empty store. */
export function onBothStores(tests: (shelf: () => Shelf) => void): void {
  onMemory(tests);
  onPglite(tests);
}

export function onMemory(tests: (shelf: () => Shelf) => void): void {
  describe("on memory", () => {
    let shelf: Shelf | undefined;
    const close = closers();
    beforeEach(() => {
      const clock = virtualClock();
      shelf = newShelf({
        kind: "memory",
        ...{ clock, stores: memoryStores(clock), sql: undefined, onOpen: close.add },
      });
    });
    close.afterEachTest();
    tests(() => present(shelf));
  });
}

export function onPglite(tests: (shelf: () => Shelf) => void): void {
  onDatabase("PGlite", scratchPglite, tests);
}

/** On a migrated database that is these tests' own. */
export function onDatabase(
  kind: "PGlite" | "PostgreSQL",
  open: () => Promise<Sql>,
  tests: (shelf: () => Shelf) => void,
): void {
  describe(`on ${kind}`, () => {
    let sql: Sql | undefined;
    let emptyStatement = "";
    let shelf: Shelf | undefined;
    const close = closers();
    beforeAll(async () => {
      sql = await open();
      emptyStatement = await truncation(sql);
    }, 60_000);
    afterAll(() => sql?.close());
    beforeEach(async () => {
      const database = present(sql);
      await database.query(emptyStatement);
      shelf = newShelf({
        kind,
        clock: virtualClock(),
        stores: sqlStores(database),
        sql: database,
        onOpen: close.add,
      });
    });
    close.afterEachTest();
    tests(() => present(shelf));
  });
}

/** What is empty at the start of every test; what the schema doesn't have yet is passed over. */
const emptiedTables: readonly string[] = [
  ...["event", "execution", "command", "quarantine", "result_store", "rule", "slot", "bucket"],
  ...["dead_letter", "snapshot", "projection", "stage", "frame", "request_key", "event_batch"],
  ...["user", "membership", "access_token", "session", "audit", "credential", "keychain"],
  ...["schedule", "schedule_tick", "open_wait", "runtime"],
];

async function truncation(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ tables: string }>(
    `select string_agg(format('noetl.%I', c.relname), ', ') as tables from pg_class c
    where c.relnamespace = 'noetl'::regnamespace and c.relkind in ('r', 'p')
      and c.relname = any(array(select json_array_elements_text($1::text::json)))`,
    [JSON.stringify(emptiedTables)],
  );
  return `truncate ${row?.tables}`;
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("expected the hooks to have run");
  return value;
}

interface Closers {
  readonly add: (control: Control) => void;
  afterEachTest(): void;
}

/** Control planes that a test opened are stopped after it; the stores stay. */
function closers(): Closers {
  let open: Control[] = [];
  return {
    add: (control) => void open.push(control),
    afterEachTest: () => {
      afterEach(async () => {
        const controls = open;
        open = [];
        await Promise.all(controls.map((control) => control.stop()));
      });
    },
  };
}

interface ShelfParts {
  readonly kind: Shelf["kind"];
  readonly clock: VirtualClock;
  readonly stores: Stores;
  readonly sql: Sql | undefined;
  readonly onOpen: (control: Control) => void;
}

function newShelf({ kind, clock, stores, sql, onOpen }: ShelfParts): Shelf {
  return {
    kind,
    clock,
    sql,
    open: (options = {}) => openWorld(stores, options, onOpen),
    passLeases: async ({ control }) => {
      for (let passedMs = 0; passedMs <= leaseMs + sweepMs; passedMs += sweepMs) {
        await clock.advance(sweepMs);
        await control.sweep.sweepOnce();
      }
      if (sql === undefined) return;
      await sql.query("update noetl.liveness set live_since = '-infinity', swept_at = now()");
      await sql.query(
        "update noetl.command set lease_until = now() - interval '1 ms' where status = 'leased'",
      );
      await control.sweep.sweepOnce();
    },
  };
}

/** What every control plane of the tests seals with. */
export const testSeals = sealsOf(fixedKeys(`test:${btoa("k".repeat(32))}`));

let machines = 100;

function openWorld(
  stores: Stores,
  options: WorldOptions,
  onOpen: (control: Control) => void,
): World {
  const clock = options.clock ?? systemClock();
  const bus = memoryBus();
  const reports: string[] = [];
  machines = (machines % 900) + 1;
  const between = { ...stores, ...options.wrap?.(stores) };
  const control = startControl(
    {
      ...between,
      bus,
      clock,
      ids: snowflakeMint(clock, machines),
      sha256,
      ...secretsIn(between, options, clock),
      ...(options.keychainOptions === undefined
        ? {}
        : { keychainOptions: options.keychainOptions }),
      engineVersion: "0.0.0-test",
      ...(options.waitKey === undefined ? {} : { waitKey: options.waitKey }),
    },
    {
      access: options.access?.(between, clock) ?? openAccess(),
      report: (message) => void reports.push(message),
      workersAreNew: options.workersAreNew ?? false,
      ...(options.statesMax === undefined ? {} : { statesMax: options.statesMax }),
      ...(options.snapshotEvents === undefined ? {} : { snapshotEvents: options.snapshotEvents }),
    },
  );
  onOpen(control);
  const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  return {
    client,
    control,
    stores,
    bus,
    reports,
    register: async (content) => (await client.registerCatalog({ body: { content } })).catalog_id,
    start: async (path, workload = {}) => {
      const started = await client.execute({ body: { path, payload: { ...workload } } });
      return executionId(started.execution_id);
    },
    another: (other = {}) => openWorld(stores, other, onOpen),
    events: async (id) => (await storedEvents(stores.log, id)).map(({ event }) => event),
    problems: async (id) => verifyLog(id, await storedEvents(stores.log, id), sha256).problems,
    ended: (id) => endOf(stores.log, id),
  };
}

function secretsIn({ vault }: Stores, options: WorldOptions, clock: Clock) {
  const given = new Map(options.credentials?.map((record) => [record.name, record]));
  const seals = options.seals === false ? undefined : testSeals;
  const next = async (alias: string) => given.get(alias);
  const credentials = vaultCredentials({ vault, seals, nowMs: () => clock.nowMs(), next });
  return { credentials, ...(seals === undefined ? {} : { seals }) };
}

async function storedEvents(log: EventLog, id: ExecutionId) {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await log.events(id, events.length, pageEvents);
    events.push(...page);
    if (page.length < pageEvents) return events;
  }
}

const pageEvents = 1_000;

async function endOf(log: EventLog, id: ExecutionId): Promise<string> {
  return eventually(async () => {
    const status = (await log.head(id))?.row.status;
    return status === "running" ? undefined : status;
  });
}

/** Looks until there is something to see; the test's own time limit ends a wait in vain. */
export async function eventually<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
