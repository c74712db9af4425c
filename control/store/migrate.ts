// The schema and its history: numbered texts, applied forward, each once. Every replica may start
// at the same time; each text is applied in one statement that first waits for the others.

import { Fault } from "#core/model/fault";
import { partitionMonthsAhead } from "#core/model/limits";
import log from "./migrations/0001_log.sql" with { type: "text" };
import dispatch from "./migrations/0002_dispatch.sql" with { type: "text" };
import feeds from "./migrations/0003_feeds.sql" with { type: "text" };
import runtime from "./migrations/0004_runtime.sql" with { type: "text" };
import stepLogs from "./migrations/0005_step_logs.sql" with { type: "text" };
import projections from "./migrations/0006_projections.sql" with { type: "text" };
import tenancy from "./migrations/0007_tenancy.sql" with { type: "text" };
import access from "./migrations/0008_access.sql" with { type: "text" };
import secrets from "./migrations/0009_secrets.sql" with { type: "text" };
import keychain from "./migrations/0010_keychain.sql" with { type: "text" };
import catalog from "./migrations/0011_catalog.sql" with { type: "text" };
import lists from "./migrations/0012_lists.sql" with { type: "text" };
import schedules from "./migrations/0013_schedules.sql" with { type: "text" };
import type { Sql } from "./sql.ts";

export interface Migration {
  /** Dense from 1. */
  readonly version: number;
  readonly name: string;
  readonly text: string;
}

/** All migrations of this build, oldest first. A released text is never changed. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "log", text: log },
  { version: 2, name: "dispatch", text: dispatch },
  { version: 3, name: "feeds", text: feeds },
  { version: 4, name: "runtime", text: runtime },
  { version: 5, name: "step logs", text: stepLogs },
  { version: 6, name: "projections", text: projections },
  { version: 7, name: "tenancy", text: tenancy },
  { version: 8, name: "access", text: access },
  { version: 9, name: "secrets", text: secrets },
  { version: 10, name: "keychain", text: keychain },
  { version: 11, name: "catalog", text: catalog },
  { version: 12, name: "lists", text: lists },
  { version: 13, name: "schedules", text: schedules },
];

const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

/** The digest of a schema: equal if and only if the same texts make it. */
export function schemaDigest(list: readonly Migration[] = migrations): string {
  return sha256(JSON.stringify(list.map(({ version, text }) => [version, text])));
}

interface Applied {
  readonly version: number;
  readonly digest: string;
}

async function appliedTo(sql: Sql): Promise<readonly Applied[]> {
  const [table] = await sql.query<{ found: boolean }>(
    "select to_regclass('noetl.migration') is not null as found",
  );
  if (table?.found !== true) return [];
  return sql.query<Applied>("select version, digest from noetl.migration order by version");
}

/** A dollar quote whose tag stands nowhere in the text. */
function dollarQuoted(text: string): string {
  let tag = "$noetl$";
  for (let n = 1; text.includes(tag); n++) tag = `$noetl${n}$`;
  return `${tag}${text}${tag}`;
}

/**
 * One statement that applies a migration unless it has been; it can't take parameters. The schema
 * is looked for in its table, because a session remembers names that it once didn't find.
 */
function applyStatement({ version, name, text }: Migration): string {
  const body = `
begin
  perform pg_advisory_xact_lock(hashtextextended('noetl.migration', 0));
  if not exists (select from pg_catalog.pg_namespace where nspname = 'noetl') then
    create schema noetl;
  end if;
  create table if not exists noetl.migration (version integer primary key, name text not null,
    digest text not null, applied_at timestamptz not null default now());
  if not exists (select from noetl.migration where version = ${version}) then
    execute ${dollarQuoted(text)};
    insert into noetl.migration (version, name, digest)
    values (${version}, ${dollarQuoted(name)}, '${sha256(text)}');
  end if;
end`;
  return `do ${dollarQuoted(body)}`;
}

function checkHistory(applied: readonly Applied[], list: readonly Migration[]): void {
  for (const { version, digest } of applied) {
    const known = list.find((migration) => migration.version === version);
    if (known === undefined) {
      throw new Fault(
        "invalid",
        `the database has migration ${version}, expected at most ${list.length} of this build`,
      );
    }
    if (sha256(known.text) !== digest) {
      throw new Fault(
        "invalid",
        `migration ${version} (${known.name}) was changed after it had been applied`,
      );
    }
  }
}

/**
 * Brings the database to the schema of this build and makes the coming partitions of the log.
 * Doing it again, from any number of processes, changes nothing.
 * @throws Fault `invalid` when the database knows a migration that this build doesn't, or another
 * text of one; nothing is applied then.
 */
export async function migrate(sql: Sql, list: readonly Migration[] = migrations): Promise<void> {
  const applied = await appliedTo(sql);
  checkHistory(applied, list);
  const done = new Set(applied.map(({ version }) => version));
  const pending = list.filter(({ version }) => !done.has(version));
  for (const migration of pending) await sql.query(applyStatement(migration));
  // Another replica may have applied a text of its own meanwhile.
  if (pending.length > 0) checkHistory(await appliedTo(sql), list);
  await ensurePartitions(sql);
}

/** Makes the partitions of the log for the coming months; to be called at least monthly. */
export async function ensurePartitions(sql: Sql): Promise<void> {
  await sql.query("select noetl.ensure_event_partitions($1::integer)", [partitionMonthsAhead]);
}
