// Results in the database: the durable tier that is always there, for values too large for the
// log and small enough for a row.

import type { ResultStore } from "#core/ports/result-store";
import type { Sql } from "./sql.ts";

const putSql = `insert into noetl.result_store (ref, bytes, media_type)
values ($1::text, $2::bytea, $3::text) on conflict (ref) do nothing`;

const getSql = "select bytes, media_type from noetl.result_store where ref = $1::text";

const listSql = `select ref, octet_length(bytes) as bytes from noetl.result_store
where ref >= $1::text and starts_with(ref, $1::text) order by ref limit $2::integer`;

const removeSql = `delete from noetl.result_store
where ref in (select json_array_elements_text($1::text::json))`;

/** The result store on a migrated database. */
export function sqlResults(sql: Sql): ResultStore {
  return {
    put: async ({ ref, bytes, mediaType }) => {
      await sql.query(putSql, [ref, bytes, mediaType]);
    },
    get: async (ref) => {
      const [record] = await sql.query<{ bytes: Uint8Array; media_type: string }>(getSql, [ref]);
      if (record === undefined) return undefined;
      return { ref, bytes: record.bytes, mediaType: record.media_type };
    },
    list: (prefix, limit) => sql.query<{ ref: string; bytes: number }>(listSql, [prefix, limit]),
    remove: async (refs) => {
      if (refs.length > 0) await sql.query(removeSql, [JSON.stringify(refs)]);
    },
  };
}
