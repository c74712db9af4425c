// The audit log on a database, whose clock its times are of.

import { auditBody } from "#core/model/audit-text";
import type { JsonObject } from "#core/model/json";
import type { AuditEntry, AuditStore, NewAuditEntry } from "#core/ports/audit-store";
import type { Sql } from "./sql.ts";

const columns = `a.seq::text as seq, (extract(epoch from a.at) * 1000)::bigint::text as at_ms,
  a.actor, a.actor_kind, a.tenant, a.action, a.object, a.outcome, a.about::text as about,
  encode(a.previous, 'hex') as previous, encode(a.digest, 'hex') as digest`;

const appendSql = `select ${columns} from noetl.audit_append($1::text::json) a order by a.seq`;

const listSql = `select ${columns} from noetl.audit a
where ($1::text is null or a.tenant = $1::text) and ($2::text is null or a.actor = $2::text)
  and ($3::text is null or a.action = $3::text) and ($4::text is null or a.object = $4::text)
  and ($5::bigint is null or a.seq < $5::bigint)
order by a.seq desc limit $6::integer`;

const afterSql = `select ${columns} from noetl.audit a
where a.seq > $1::bigint order by a.seq limit $2::integer`;

interface Row {
  readonly seq: string;
  readonly at_ms: string;
  readonly actor: string;
  readonly actor_kind: "person" | "machine";
  readonly tenant: string;
  readonly action: string;
  readonly object: string;
  readonly outcome: "done" | "refused";
  readonly about: string | null;
  readonly previous: string;
  readonly digest: string;
}

/** The audit log on a migrated database. */
export function sqlAudit(sql: Sql): AuditStore {
  return {
    append: async (entries) => {
      if (entries.length === 0) return [];
      const rows = await sql.query<Row>(appendSql, [JSON.stringify(entries.map(record))]);
      return rows.map(entryOf);
    },
    list: async ({ tenant, actor, action, object, before, limit }) => {
      const asked = [tenant, actor, action, object].map((part) => part ?? null);
      return (await sql.query<Row>(listSql, [...asked, before ?? null, limit])).map(entryOf);
    },
    after: async (seq, limit) => (await sql.query<Row>(afterSql, [seq, limit])).map(entryOf),
  };
}

function record(entry: NewAuditEntry, n: number): object {
  const { actor, actorKind, tenant, action, object, outcome, about } = entry;
  return {
    ...{ n, actor, actor_kind: actorKind, tenant, action, object, outcome },
    // As text inside of a text: the database takes no document apart that holds an escaped NUL.
    about: about === undefined ? null : JSON.stringify(about),
    body: auditBody(entry),
  };
}

function entryOf(row: Row): AuditEntry {
  const { actor, tenant, action, object, outcome, previous, digest } = row;
  return {
    ...{ actor, tenant, action, object, outcome, previous, digest },
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
    actorKind: row.actor_kind,
    ...(row.about === null ? {} : { about: JSON.parse(row.about) as JsonObject }),
  };
}
