// What the contracts of the stores around an execution are told against, and all of them on one kind
// of store.
import { afterAll, beforeAll, describe } from "bun:test";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { memoryStores } from "#core/adapters/memory-stores";
import type { Stores } from "#core/ports/stores";
import { virtualClock } from "#tests/support/virtual-clock";
import { accessStoreContract } from "./access-store.ts";
import { auditStoreContract } from "./audit-store.ts";
import { credentialStoreContract } from "./credential-store.ts";
import { eventBatchesContract } from "./event-batches.ts";
import { keychainStoreContract } from "./keychain-store.ts";
import { requestKeysContract } from "./request-keys.ts";
import { scheduleStoreContract } from "./schedule-store.ts";
import { waitIndexContract } from "./wait-index.ts";

export interface PlatformStores {
  readonly stores: Stores;
  /** Lets time pass: on a database these columns of its tables are moved back instead. */
  passTime(durationMs: number, columns: Readonly<Record<string, readonly string[]>>): Promise<void>;
  /** Not on memory: the database itself. */
  readonly sql: Sql | undefined;
  close(): Promise<void>;
}

export interface PlatformWorld {
  readonly name: string;
  /** Empty stores of the caller's own. */
  open(): Promise<PlatformStores>;
}

/** Tells tests on one world, which is opened before them and closed after them. */
export function onWorld(
  what: string,
  world: PlatformWorld,
  tests: (opened: () => PlatformStores) => void,
): void {
  describe(`${what} on ${world.name}`, () => {
    let opened: PlatformStores | undefined;
    beforeAll(async () => {
      opened = await world.open();
    }, 60_000);
    afterAll(() => opened?.close());
    tests(() => {
      if (opened === undefined) throw new Error(`${world.name} did not open`);
      return opened;
    });
  });
}

export const memoryPlatform: PlatformWorld = {
  name: "memory",
  open: async () => {
    const clock = virtualClock();
    const stores = memoryStores(clock);
    return {
      stores,
      sql: undefined,
      passTime: (durationMs) => clock.advance(durationMs),
      close: () => stores.close(),
    };
  },
};

/** @param open a migrated database that is the caller's own. */
export function sqlPlatform(name: string, open: () => Promise<Sql>): PlatformWorld {
  return {
    name,
    open: async () => {
      const sql = await open();
      const stores = sqlStores(sql);
      return {
        stores,
        sql,
        passTime: async (durationMs, columns) => {
          for (const [table, names] of Object.entries(columns)) {
            const moved = names.map((name) => `"${name}" = "${name}" - span.by`).join(", ");
            const span = "(select $1::float8 * interval '1 millisecond' as by) span";
            await sql.query(`update noetl."${table}" set ${moved} from ${span}`, [durationMs]);
          }
        },
        close: () => stores.close(),
      };
    },
  };
}

/** Runs all suites. */
export function platformContracts(world: PlatformWorld): void {
  requestKeysContract(world);
  eventBatchesContract(world);
  accessStoreContract(world);
  auditStoreContract(world);
  credentialStoreContract(world);
  keychainStoreContract(world);
  scheduleStoreContract(world);
  waitIndexContract(world);
}
