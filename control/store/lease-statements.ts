// Statements about leases that a worker says it holds: extended, asked about, given back.

import { span } from "./spans.ts";

/**
 * What went away while the statement waited for it was there when it began: the lock brings such a
 * row as it is then, or not at all, and so a settled command is told from a lost lease.
 */
export const renewSql = `
with asked as materialized (
  select * from json_to_recordset($2::text::json) as a(command_id text, attempt integer)),
mine as materialized (
  select c.command_id, c.attempt from noetl.command c join asked a on a.command_id = c.command_id
  where c.status = 'leased' and c.worker = $1::text and c.attempt = a.attempt),
found as materialized (
  select c.command_id, c.attempt,
    c.status = 'leased' and c.worker = $1::text and c.attempt = m.attempt as held
  from noetl.command c join mine m on m.command_id = c.command_id
  order by c.command_id for update of c),
renewed as (
  update noetl.command c set handed = false,
    lease_until = greatest(c.lease_until, clock_timestamp() + ${span("$3")})
  where c.command_id = any(array(select command_id from found where held)))
select c.command_id, case when f.held then f.attempt end as attempt
from noetl.command c join asked a on a.command_id = c.command_id
left join mine m on m.command_id = c.command_id
left join found f on f.command_id = c.command_id
where m.command_id is null or f.command_id is not null`;

/** Writes nothing, and so waits for no disk, where the worker has spoken of the command before. */
export const holdsSql = `
with accepted as (
  update noetl.command c set handed = false,
    lease_until = greatest(c.lease_until, clock_timestamp() + ${span("$4")})
  where c.command_id = $2::text and c.status = 'leased' and c.worker = $1::text
    and c.attempt = $3::integer and c.handed)
select 1 as one from noetl.command c where c.command_id = $2::text
  and c.status = 'leased' and c.worker = $1::text and c.attempt = $3::integer`;

/** Locked in the order in which appends lock them. */
export const releaseSql = `
with asked as materialized (
  select * from json_to_recordset($2::text::json) as a(command_id text, attempt integer)),
held as materialized (
  select c.command_id from noetl.command c join asked a on a.command_id = c.command_id
  where c.status = 'leased' and c.worker = $1::text and c.attempt = a.attempt
  order by c.command_id for update of c)
update noetl.command c set status = 'ready', worker = null, lease_until = null, handed = false
where c.command_id = any(array(select command_id from held))`;
