// People and tokens on a database. Times are the control plane's: they are compared with its clock.

import type { Role } from "#core/model/access";
import type {
  AccessStore,
  AccessToken,
  KnownToken,
  Membership,
  PeopleChange,
  User,
} from "#core/ports/access-store";
import type { Sql, SqlValue } from "./sql.ts";

const time = (parameter: string): string => `to_timestamp(${parameter}::float8 / 1000)`;
const millis = (column: string): string => `round(extract(epoch from ${column}) * 1000)::float8`;

const userColumns = `u.user_id, u.email, u.subject, u.name as user_name,
  ${millis("u.disabled_at")} as disabled_ms, ${millis("u.created_at")} as user_created_ms`;
const tokenColumns = `t.token_id, t.kind, t.user_id, t.tenant, t.role, t.platform,
  t.name as token_name, encode(t.digest, 'hex') as digest, ${millis("t.created_at")} as created_ms,
  ${millis("t.expires_at")} as expires_ms, ${millis("t.last_used_at")} as used_ms,
  ${millis("t.revoked_at")} as revoked_ms`;
const memberColumns = `m.user_id, m.tenant, m.role, ${millis("m.created_at")} as created_ms`;

const putUserSql = `select noetl.put_user(row($1::text, $2::text, $3::text, $4::text,
  ${time("$5")}, ${time("$6")})::noetl."user") as did`;
const userSql = (column: string): string =>
  `select ${userColumns} from noetl."user" u where u.${column} = $1::text`;
const usersSql = `select ${userColumns} from noetl."user" u
where u.user_id > $1::text and ($2::text is null or exists (
  select from noetl.membership m where m.user_id = u.user_id and m.tenant = $2::text))
order by u.user_id limit $3::integer`;
const removeUserSql = "select noetl.remove_user($1::text) as did";
const putMembershipSql = `select noetl.put_membership(row($1::text, $2::text, $3::text,
  ${time("$4")})::noetl.membership) as did`;
const removeMembershipSql = "select noetl.remove_membership($1::text, $2::text) as did";
const membershipsSql = `select ${memberColumns} from noetl.membership m
where m.user_id = any(array(select json_array_elements_text($1::text::json)))
  and ($2::text is null or m.tenant = $2::text)
order by m.user_id, m.tenant`;
const hasAdminSql = `select exists (
  select from noetl.membership m join noetl."user" u using (user_id)
  where m.tenant = $1::text and m.role = 'admin' and u.disabled_at is null) as found`;
const putTokenSql = `select noetl.put_token(row($1::text, $2::text, $3::text, $4::text, $5::text,
  $6::boolean, $7::text, decode($8::text, 'hex'), ${time("$9")}, ${time("$10")}, null,
  ${time("$11")})::noetl.access_token) as did`;
const tokenByIdSql = `select ${tokenColumns}, ${userColumns.replace("u.user_id, ", "")},
  m.role as member_role, ${millis("m.created_at")} as member_ms
from noetl.access_token t join noetl."user" u on u.user_id = t.user_id
left join noetl.membership m on m.user_id = t.user_id and m.tenant = t.tenant
where t.token_id = $1::text`;
const tokensSql = `select ${tokenColumns} from noetl.access_token t
where ($1::text is null or t.user_id = $1::text) and ($2::text is null or t.tenant = $2::text)
order by t.created_at desc, t.token_id desc limit $3::integer`;
const revokeSql = `update noetl.access_token set revoked_at = ${time("$2")}
where token_id = $1::text and revoked_at is null returning 1 as one`;
const touchSql = `update noetl.access_token set last_used_at = ${time("$2")}
where token_id = $1::text`;
const purgeSql = `delete from noetl.access_token where token_id = any(array(
  select token_id from noetl.access_token where least(expires_at, revoked_at) < ${time("$1")}
  order by least(expires_at, revoked_at) limit $2::integer for update skip locked))
returning 1 as one`;

interface UserRow {
  readonly user_id: string;
  readonly email: string;
  readonly subject: string | null;
  readonly user_name: string | null;
  readonly disabled_ms: number | null;
  readonly user_created_ms: number;
}

interface MemberRow {
  readonly user_id: string;
  readonly tenant: string;
  readonly role: Role;
  readonly created_ms: number;
}

interface TokenRow extends MemberRow {
  readonly token_id: string;
  readonly kind: AccessToken["kind"];
  readonly platform: boolean;
  readonly token_name: string | null;
  readonly digest: string;
  readonly expires_ms: number | null;
  readonly used_ms: number | null;
  readonly revoked_ms: number | null;
}

interface KnownRow extends TokenRow, UserRow {
  readonly member_role: Role | null;
  readonly member_ms: number | null;
}

/** People and tokens on a migrated database. */
export function sqlAccess(sql: Sql): AccessStore {
  return { ...usersOn(sql), ...membershipsOn(sql), ...tokensOn(sql) };
}

/** What one of the functions says that it did; each says only what its caller may be told. */
async function change<Change extends PeopleChange>(
  sql: Sql,
  text: string,
  values: readonly SqlValue[],
): Promise<Change> {
  const [row] = await sql.query<{ did: Change }>(text, values);
  return (row?.did ?? "absent") as Change;
}

function usersOn(sql: Sql): Pick<AccessStore, "putUser" | "user" | "users" | "removeUser"> {
  return {
    putUser: ({ userId, email, subject, name, disabledAtMs, createdAtMs }) =>
      change(sql, putUserSql, [
        ...[userId, email, subject ?? null, name ?? null, disabledAtMs ?? null, createdAtMs],
      ]),
    user: async ({ userId, email, subject }) => {
      const [column, value] =
        userId !== undefined
          ? ["user_id", userId]
          : email !== undefined
            ? ["email", email]
            : ["subject", subject ?? null];
      const [row] = await sql.query<UserRow>(userSql(column), [value]);
      return row === undefined ? undefined : userOf(row);
    },
    users: async ({ tenant, after = "", limit }) =>
      (await sql.query<UserRow>(usersSql, [after, tenant ?? null, limit])).map(userOf),
    removeUser: (userId) => change(sql, removeUserSql, [userId]),
  };
}

function membershipsOn(
  sql: Sql,
): Pick<AccessStore, "putMembership" | "removeMembership" | "memberships" | "hasAdmin"> {
  return {
    putMembership: ({ userId, tenant, role, createdAtMs }) =>
      change(sql, putMembershipSql, [userId, tenant, role, createdAtMs]),
    removeMembership: (userId, tenant) => change(sql, removeMembershipSql, [userId, tenant]),
    memberships: async ({ userIds, tenant }) => {
      if (userIds.length === 0) return [];
      const asked = [JSON.stringify(userIds), tenant ?? null];
      return (await sql.query<MemberRow>(membershipsSql, asked)).map(membershipOf);
    },
    hasAdmin: async (tenant) =>
      (await sql.query<{ found: boolean }>(hasAdminSql, [tenant]))[0]?.found === true,
  };
}

function tokensOn(
  sql: Sql,
): Pick<
  AccessStore,
  "putToken" | "tokenById" | "tokens" | "revokeToken" | "touchToken" | "purgeTokens"
> {
  return {
    putToken: (token) => {
      const { tokenId, kind, userId, tenant, role, platform, name, digest, createdAtMs } = token;
      return change(sql, putTokenSql, [
        ...[tokenId, kind, userId, tenant, role, platform, name ?? null, digest, createdAtMs],
        ...[token.expiresAtMs ?? null, token.revokedAtMs ?? null],
      ]);
    },
    tokenById: async (tokenId) => {
      const [row] = await sql.query<KnownRow>(tokenByIdSql, [tokenId]);
      return row === undefined ? undefined : knownOf(row);
    },
    tokens: async ({ userId, tenant, limit }) =>
      (await sql.query<TokenRow>(tokensSql, [userId ?? null, tenant ?? null, limit])).map(tokenOf),
    revokeToken: async (tokenId, atMs) => (await sql.query(revokeSql, [tokenId, atMs])).length > 0,
    touchToken: async (tokenId, atMs) => void (await sql.query(touchSql, [tokenId, atMs])),
    purgeTokens: async (beforeMs, limit) => (await sql.query(purgeSql, [beforeMs, limit])).length,
  };
}

function userOf(row: UserRow): User {
  return {
    userId: row.user_id,
    email: row.email,
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.user_name === null ? {} : { name: row.user_name }),
    ...(row.disabled_ms === null ? {} : { disabledAtMs: row.disabled_ms }),
    createdAtMs: row.user_created_ms,
  };
}

function membershipOf(row: MemberRow): Membership {
  return { userId: row.user_id, tenant: row.tenant, role: row.role, createdAtMs: row.created_ms };
}

function tokenOf(row: TokenRow): AccessToken {
  const { kind, tenant, role, platform, digest } = row;
  return {
    ...{ kind, tenant, role, platform, digest },
    tokenId: row.token_id,
    userId: row.user_id,
    ...(row.token_name === null ? {} : { name: row.token_name }),
    createdAtMs: row.created_ms,
    ...(row.expires_ms === null ? {} : { expiresAtMs: row.expires_ms }),
    ...(row.used_ms === null ? {} : { lastUsedAtMs: row.used_ms }),
    ...(row.revoked_ms === null ? {} : { revokedAtMs: row.revoked_ms }),
  };
}

function knownOf(row: KnownRow): KnownToken {
  const { member_role: role, member_ms: createdAtMs, user_id: userId, tenant } = row;
  const isMember = role !== null && createdAtMs !== null;
  return {
    token: tokenOf(row),
    user: userOf(row),
    membership: isMember ? { userId, tenant, role, createdAtMs } : undefined,
  };
}
