// Lists of executions on a database. Whatever is asked for, each part of the answer is read newest
// first from an index until it is long enough, and the parts are put together: no filter and no page
// reads more than it shows.

import type { ExecutionFilter } from "#core/ports/event-log";
import type { SqlValue } from "./sql.ts";

export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** The largest id that there can be. */
const lastId = "9223372036854775807";
const allStatuses = ["running", "completed", "failed", "cancelled"];

/**
 * The rows of a list, as a statement over fixed parts and parameters.
 * @param columns of the row `x`.
 */
export function listStatement(columns: string, filter: ExecutionFilter): Statement {
  const values: SqlValue[] = [filter.limit];
  const parameter = (value: SqlValue, cast: string): string => {
    values.push(value);
    return `$${values.length}::${cast}`;
  };
  const { tenant, path, pathPrefix, catalogId, version, parentId } = filter;
  const conditions: string[] = [];
  if (tenant !== undefined) conditions.push(`x.tenant = ${parameter(tenant, "text")}`);
  if (path !== undefined) conditions.push(`x.path collate "C" = ${parameter(path, "text")}`);
  if (catalogId !== undefined) {
    conditions.push(`x.catalog_id = ${parameter(catalogId, "text::bigint")}`);
  }
  if (version !== undefined) conditions.push(`x.version = ${parameter(version, "integer")}`);
  if (parentId !== undefined) {
    conditions.push(`x.parent_id = ${parameter(parentId, "text::bigint")}`);
  }
  // Children are few, and all tenants together are read in the order of the ids. The indexes for
  // everything else have the ids negated.
  const isPlain = parentId !== undefined || tenant === undefined;
  const before = parameter(filter.before ?? lastId, "text::bigint");
  conditions.push(isPlain ? `x.execution_id < ${before}` : `- x.execution_id > - ${before}`);
  if (filter.from !== undefined) {
    const from = parameter(filter.from, "text::bigint");
    conditions.push(isPlain ? `x.execution_id >= ${from}` : `- x.execution_id <= - ${from}`);
  }
  const order = isPlain ? "x.execution_id desc" : "- x.execution_id";
  const statuses = statusesOf(filter);
  const newest = (more: readonly string[]): string =>
    `select ${columns} from noetl.execution x where ${[...conditions, ...more].join(" and ")}
    order by ${order} limit $1::integer`;
  if (isPlain) {
    const chosen = `x.status in (select json_array_elements_text(${parameter(statuses, "text::json")}))`;
    const begins =
      pathPrefix === undefined ? [] : [`starts_with(x.path, ${parameter(pathPrefix, "text")})`];
    return { text: newest([chosen, ...begins]), values };
  }
  const each = `json_array_elements_text(${parameter(statuses, "text::json")}) as s(status)`;
  if (pathPrefix === undefined) {
    const text = `select r.* from ${each} cross join lateral (
      ${newest(["x.status = s.status"])}) r order by r.id_number desc limit $1::integer`;
    return { text, values };
  }
  const prefix = parameter(pathPrefix, "text");
  const text = `${pathsUnder(prefix, tenantPlace)}
    select r.* from paths p cross join ${each} cross join lateral (
      ${newest(["x.status = s.status", 'x.path collate "C" = p.path'])}) r
    where starts_with(p.path, ${prefix}) order by r.id_number desc limit $1::integer`;
  return { text, values };
}

/**
 * The same for the beginning of a path, looked for among the newest executions alone: where many
 * paths begin so, these are enough. Undefined for a list by anything else.
 */
export function recentStatement(columns: string, filter: ExecutionFilter): Statement | undefined {
  const { pathPrefix, ...others } = filter;
  if (pathPrefix === undefined || filter.tenant === undefined) return undefined;
  if (filter.parentId !== undefined) return undefined;
  const { text, values } = listStatement(columns, { ...others, limit: recentRowsMax });
  const [prefix, limit] = [`$${values.length + 1}::text`, `$${values.length + 2}::integer`];
  return {
    text: `select r.* from (${text}) r where starts_with(r.path, ${prefix})
      order by r.id_number desc limit ${limit}`,
    values: [...values, pathPrefix, filter.limit],
  };
}

/** The newest executions among which a path's beginning is looked for first. */
const recentRowsMax = 2_500;

/** The tenant is the first that is asked for, where there is one. */
const tenantPlace = "$2::text";

/** The paths that begin so, stepped to one by one over the index. */
const pathsUnder = (prefix: string, tenant: string): string => {
  const next = (comparison: string): string => `select x.path collate "C" as path
    from noetl.execution x where x.tenant = ${tenant} and x.path collate "C" ${comparison}
    order by x.path collate "C" limit 1`;
  return `with recursive paths(path) as (
    (${next(`>= ${prefix}`)})
    union all
    select (${next("> p.path")}) from paths p where starts_with(p.path, ${prefix}))`;
};

function statusesOf({ status }: ExecutionFilter): string {
  if (status === undefined) return JSON.stringify(allStatuses);
  return JSON.stringify([...new Set(typeof status === "string" ? [status] : status)]);
}
