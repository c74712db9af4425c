// Cursors of roles on a database; leases are measured by its clock.

import type { CursorStore } from "#core/ports/cursor-store";
import type { Sql } from "./sql.ts";

const until = (parameter: string) =>
  `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

const takeSql = `
insert into noetl.cursor as c (name, owner, fence, lease_until)
values ($1::text, $2::text, 1, ${until("$3")})
on conflict (name) do update set
  owner = excluded.owner, fence = c.fence + 1, lease_until = ${until("$3")}
where c.owner is null or c.owner = excluded.owner or c.lease_until < clock_timestamp()
returning fence::text as fence, position`;

const held = "name = $1::text and owner = $2::text and fence = $3::text::bigint";

const listSql = `select name, owner, position,
  owner is not null and lease_until >= clock_timestamp() as held
from noetl.cursor order by name`;

interface ListRecord {
  readonly name: string;
  readonly owner: string | null;
  readonly position: string | null;
  readonly held: boolean;
}

export function sqlCursors(sql: Sql): CursorStore {
  const update = async (text: string, values: readonly (string | number)[]): Promise<boolean> =>
    (await sql.query(text, values)).length > 0;
  return {
    take: async (name, owner, leaseMs) => {
      const [record] = await sql.query<{ fence: string; position: string | null }>(takeSql, [
        name,
        owner,
        leaseMs,
      ]);
      if (record === undefined) return undefined;
      const { fence, position } = record;
      return { name, owner, fence: Number(fence), ...(position === null ? {} : { position }) };
    },
    renew: ({ name, owner, fence }, leaseMs) =>
      update(`update noetl.cursor set lease_until = ${until("$4")} where ${held} returning name`, [
        name,
        owner,
        String(fence),
        leaseMs,
      ]),
    advance: ({ name, owner, fence }, position) =>
      update(`update noetl.cursor set position = $4::text where ${held} returning name`, [
        name,
        owner,
        String(fence),
        position,
      ]),
    release: async ({ name, owner, fence }) => {
      await update(
        `update noetl.cursor set owner = null, lease_until = null where ${held} returning name`,
        [name, owner, String(fence)],
      );
    },
    list: async () =>
      (await sql.query<ListRecord>(listSql)).map(({ name, owner, position, held: isHeld }) => ({
        name,
        ...(owner === null ? {} : { owner }),
        ...(position === null ? {} : { position }),
        held: isHeld,
      })),
  };
}
