// The index of open waits on a database. An answer that came early is a row of its own kind, which
// keeps the command that took it: so the same stretch of the log can be applied again.

import { type CommandId, executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type {
  EarlyAnswer,
  IndexedWait,
  OpenWait,
  WaitIndex,
  WaitKind,
} from "#core/ports/wait-index";
import type { Sql } from "./sql.ts";

const time = (column: string): string =>
  `(timestamptz 'epoch' + ${column} * interval '1 millisecond')`;

const insertion = `insert into noetl.open_wait
  (command_id, execution_id, tenant, for_what, key, step, who, about, since, due)`;

const earlySql = `
${insertion}
select a.command_id, a.execution_id, '', 'early', a.key, '', null, null, now(), null
from json_to_recordset($1::text::json) as a(command_id text, execution_id bigint, key text)
order by a.command_id collate "C"
on conflict (command_id) do nothing`;

/** What people wrote goes as texts: a document with the escape of NUL in it can't be taken apart. */
const openedSql = `
with asked as materialized (
  select * from json_to_recordset($1::text::json) as a(command_id text, execution_id bigint,
    for_what text, key text, step text, who text, about text, since float8, due float8)),
taken as (
  update noetl.open_wait w set step = f.taker
  from (select a.command_id as taker, e.command_id as early_id from asked a
    cross join lateral (select o.command_id from noetl.open_wait o
      where o.execution_id = a.execution_id and o.for_what = 'early'
        and o.key = a.for_what || ' ' || a.key and o.step in ('', a.command_id)
      order by o.step = a.command_id desc, o.command_id limit 1) e) f
  where w.command_id = f.early_id
  returning w.step as taker)
${insertion}
select a.command_id, a.execution_id, x.tenant, a.for_what, a.key, a.step, a.who::json, a.about::json,
  ${time("a.since")}, ${time("a.due")}
from asked a join noetl.execution x on x.execution_id = a.execution_id
where not exists (select from taken t where t.taker = a.command_id)
order by a.command_id collate "C"
on conflict (command_id) do nothing`;

const closedSql = `delete from noetl.open_wait
where command_id = any(array(select json_array_elements_text($1::text::json))) returning 1 as one`;

const endedSql = `delete from noetl.open_wait where execution_id =
  any(array(select json_array_elements_text($1::text::json)::bigint)) returning 1 as one`;

const listSql = `select command_id, execution_id::text as execution_id, tenant, for_what, key, step,
  who::text as who, about::text as about,
  (extract(epoch from since) * 1000)::float8 as since_ms,
  (extract(epoch from due) * 1000)::float8 as due_ms
from noetl.open_wait
where for_what <> 'early' and command_id > $1::text
  and ($2::text is null or tenant = $2::text)
  and ($3::text is null or for_what = $3::text)
  and ($4::text is null or execution_id = $4::text::bigint)
order by command_id limit $5::integer`;

interface WaitRecord {
  readonly command_id: string;
  readonly execution_id: string;
  readonly tenant: string;
  readonly for_what: string;
  readonly key: string;
  readonly step: string;
  readonly who: string | null;
  readonly about: string | null;
  readonly since_ms: number;
  readonly due_ms: number | null;
}

/** The index on a migrated database. */
export function sqlWaitIndex(sql: Sql): WaitIndex {
  const run = async (text: string, list: readonly unknown[]): Promise<void> => {
    if (list.length > 0) await sql.query(text, [JSON.stringify(list)]);
  };
  return {
    apply: async ({ early, opened, closed, ended }) => {
      await run(earlySql, early.map(earlyRecord));
      await run(openedSql, opened.map(openedRecord));
      await run(closedSql, closed);
      await run(endedSql, ended);
    },
    list: async ({ tenant = null, for: kind = null, executionId: id = null, after = "", limit }) =>
      (await sql.query<WaitRecord>(listSql, [after, tenant, kind, id, limit])).map(waitOf),
    clear: async () => {
      await sql.query("delete from noetl.open_wait");
    },
  };
}

/** Sorts by the order in which they came; no command is called so. */
const earlyRecord = ({ executionId: id, seq, for: kind, key }: EarlyAnswer): object => ({
  command_id: `${id} early ${String(seq).padStart(10, "0")}`,
  execution_id: id,
  key: `${kind} ${key}`,
});

const openedRecord = (wait: IndexedWait): object => ({
  command_id: wait.commandId,
  execution_id: wait.executionId,
  for_what: wait.for,
  key: wait.key,
  step: wait.step,
  who: wait.who === undefined ? undefined : JSON.stringify(wait.who),
  about: wait.about === undefined ? undefined : JSON.stringify(wait.about),
  since: wait.sinceMs,
  due: wait.dueMs,
});

const waitOf = (record: WaitRecord): OpenWait => ({
  commandId: record.command_id as CommandId,
  executionId: executionId(record.execution_id),
  tenant: record.tenant,
  for: record.for_what as WaitKind,
  key: record.key,
  step: record.step,
  ...(record.who === null ? {} : { who: JSON.parse(record.who) as JsonObject }),
  ...(record.about === null ? {} : { about: JSON.parse(record.about) as JsonObject }),
  sinceMs: record.since_ms,
  ...(record.due_ms === null ? {} : { dueMs: record.due_ms }),
});
