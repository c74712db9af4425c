// The rules on a database. A rule is set by one function, which holds every claim and append off
// while it counts what runs.

import { burstOf } from "#core/model/dispatch";
import type { CommandId } from "#core/model/ids";
import { ruleHoldersMax } from "#core/model/limits";
import type { DispatchRules, RuleState } from "#core/ports/dispatch-rules";
import type { Sql } from "./sql.ts";

/** Holders come as a document: a rule may have any number of them. */
const rulesSql = `
select r.key, r.max_running, r.per_second, r.burst,
  coalesce(h.running, 0)::integer as running, coalesce(h.holders, '[]')::text as holders,
  case when b.key is null then null else (greatest(0, ceil(1000 * (1 -
    noetl.tokens_now(b.tokens, b.at, r.per_second, coalesce(r.burst, 1))) / r.per_second)))::float8
  end as next_ms
from noetl.rule r left join noetl.bucket b on b.key = r.key
left join lateral (
  select count(*) as running, json_agg(json_build_object('id', s.command_id, 'worker', c.worker,
    'held_ms', (extract(epoch from now() - s.since) * 1000)::float8) order by s.since, s.n)
    filter (where s.nth <= ${ruleHoldersMax}) as holders
  from (
    select t.*, row_number() over (order by t.since, t.n) as nth from noetl.slot t
    join noetl.command o on o.command_id = t.command_id and o.status = 'leased'
    where t.key = r.key) s
  join noetl.command c on c.command_id = s.command_id) h on true
where $1::text is null or r.key = any(array(select json_array_elements_text($1::text::json)))
order by r.key`;

interface RuleRecord {
  readonly key: string;
  readonly max_running: number | null;
  readonly per_second: number | null;
  readonly burst: number | null;
  readonly running: number;
  readonly holders: string;
  readonly next_ms: number | null;
}

interface HolderRecord {
  readonly id: string;
  readonly worker: string | null;
  readonly held_ms: number;
}

function ruleState(record: RuleRecord): RuleState {
  const { key, max_running: maxRunning, per_second: perSecond, burst, next_ms: nextMs } = record;
  const holders = JSON.parse(record.holders) as readonly HolderRecord[];
  return {
    rule: {
      key,
      ...(maxRunning === null ? {} : { maxRunning }),
      ...(perSecond === null ? {} : { perSecond }),
      ...(burst === null ? {} : { burst }),
    },
    running: record.running,
    holders: holders.map(({ id, worker, held_ms: heldMs }) => ({
      // Named by claims, from ids of commands.
      commandId: id as CommandId,
      worker: worker ?? "",
      heldMs: Math.max(0, heldMs),
    })),
    ...(nextMs === null ? {} : { nextStartMs: nextMs }),
  };
}

/** The part of the event log that is about rules. */
export function dispatchRules(sql: Sql): DispatchRules {
  return {
    rules: async (keys) => {
      const asked = keys === undefined ? null : JSON.stringify(keys);
      return (await sql.query<RuleRecord>(rulesSql, [asked])).map(ruleState);
    },
    putRule: async (rule) => {
      const { key, maxRunning = null, perSecond = null } = rule;
      const burst = perSecond === null ? null : burstOf(rule);
      await sql.query(
        "select 1 as put from noetl.put_rule($1::text, $2::integer, $3::float8, $4::integer)",
        [key, maxRunning, perSecond, burst],
      );
    },
    deleteRule: async (key) => {
      const text = "delete from noetl.rule where key = $1::text returning key";
      return (await sql.query(text, [key])).length > 0;
    },
  };
}
