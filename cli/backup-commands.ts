// `noetl backup` and `noetl restore`: the database behind a control plane as one file, and back. A
// restored log is folded again and proven before the command says that it is done.

import { openAccess } from "#control/access/admission";
import { checkBackup } from "#control/backup/read";
import { isOfThisSchema, restoreBackup } from "#control/backup/restore";
import { writeBackup } from "#control/backup/write";
import { controlSettings } from "#control/config";
import { startControl } from "#control/control";
import { platformOf } from "#control/platform";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { localAdmin } from "#core/model/access";
import { tenantDefault } from "#core/model/dispatch";
import { Fault, messageOf } from "#core/model/fault";
import { verifyPageDefault } from "#core/model/limits";
import type { Stores } from "#core/ports/stores";
import type { Arguments } from "./arguments.ts";
import { configurationOf } from "./config.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { openOwnDatabase } from "./own-database.ts";
import { printed } from "./printed.ts";
import { version } from "./version.ts";

export async function backup(args: Arguments): Promise<number> {
  const [file = ""] = args.operands;
  const { sql, place } = await openOwnDatabase({ makes: false, prepared: false });
  try {
    const report = await writeBackup(sql, {
      ...{ file, version, replaces: args.has("force"), logs: args.has("logs") },
      at: new Date().toISOString(),
    });
    const { rows, bytes, tables } = report;
    return printed(args, { database: place, ...report }, () => [
      `${file}: ${rows} rows of ${place}, ${bytes} bytes`,
      `${tables["execution"] ?? 0} executions, ${tables["event"] ?? 0} events`,
    ]);
  } finally {
    await sql.close();
  }
}

export async function restore(args: Arguments): Promise<number> {
  const [file = ""] = args.operands;
  const checked = await checkBackup(file);
  const { head, rows, tables } = checked;
  if (args.has("check")) {
    return printed(args, { file, made_at: head.at, version: head.version, rows, tables }, () => [
      `${file}: whole, ${rows} rows, made ${head.at} by noetl ${head.version}`,
    ]);
  }
  const prepared = isOfThisSchema(head);
  const { sql, place } = await openOwnDatabase({ makes: true, prepared });
  try {
    const pausesSchedules = args.has("pause-schedules");
    await restoreBackup(sql, { file, pausesSchedules, checked });
    const proof = await proven(sql);
    const warnings = await sealWarnings(sqlStores(sql));
    for (const warning of warnings) console.error(`noetl: ${warning}`);
    const report = { database: place, made_at: head.at, rows, ...proof, warnings };
    printed(args, report, ({ executions, events, problems }) => [
      ...problems.map(({ execution_id: id, problem }) => `${id}: ${problem}`),
      `${place}: ${rows} rows of ${head.at}`,
      `${executions} executions, ${events} events: ${problems.length === 0 ? "whole" : `${problems.length} problems`}`,
    ]);
    return proof.problems.length === 0 ? exitOk : exitFailed;
  } finally {
    await sql.close();
  }
}

interface Proof {
  readonly executions: number;
  readonly events: number;
  readonly problems: readonly { readonly execution_id: string; readonly problem: string }[];
}

/** Folds every log, makes anew what is kept beside it, and compares: nothing else runs here. */
async function proven(sql: Sql): Promise<Proof> {
  const clock = systemClock();
  const control = startControl(
    {
      ...sqlStores(sql),
      ...{ bus: memoryBus(), clock, ids: snowflakeMint(clock, 1), engineVersion: version },
      sha256,
      credentials: async () => undefined,
    },
    { access: openAccess(), report: () => {}, resident: false },
  );
  const client = apiClient({ fetch: control.fetchAs(localAdmin), baseUrl: "http://control" });
  const problems: { execution_id: string; problem: string }[] = [];
  let [executions, events] = [0, 0];
  for (let after: string | null | undefined; after !== null; ) {
    const from: { after?: string } = after === undefined ? {} : { after };
    const page: Awaited<ReturnType<typeof client.rebuild>> = await client.rebuild({
      body: { limit: verifyPageDefault, projections: true, ...from },
    });
    for (const one of page.executions) {
      executions++;
      events += one.events;
      for (const problem of one.problems) {
        problems.push({ execution_id: one.execution_id, problem });
      }
    }
    after = page.next;
  }
  await control.stop();
  return { executions, events, problems };
}

const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

/** Sealed rows travel sealed, and the keys don't: says which of them are missing here. */
async function sealWarnings(stores: Stores): Promise<readonly string[]> {
  const counts = await stores.vault.countsByKey();
  const keys = Object.keys(counts).filter((key) => (counts[key] ?? 0) > 0);
  if (keys.length === 0) return [];
  const { values: settings } = configurationOf(controlSettings);
  const { ports } = platformOf(settings, stores, {
    ...{ clock: systemClock(), sha256, report: () => {} },
    credentials: async () => undefined,
  });
  const { seals } = ports;
  if (seals === undefined) {
    return [`credentials are sealed by ${keys.join(", ")}: expected NOETL_MASTER_KEY with it`];
  }
  const [row] = await stores.vault.list(tenantDefault, { limit: 1 });
  if (row === undefined) return [];
  const { sealed, tenant, name, kid } = row;
  try {
    await seals.open(sealed, { kind: "credential", tenant, name });
    return [];
  } catch (thrown) {
    const why = thrown instanceof Fault ? messageOf(thrown) : "it can't be opened";
    return [`credential ${name}, sealed by key ${kid}: ${why}`];
  }
}
