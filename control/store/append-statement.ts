// The statement that appends: everything that a transition does is in it, so it commits whole or
// not at all, in one round trip.

import { storableRow, storableText } from "#core/adapters/transition-check";
import { plainTerms } from "#core/model/dispatch";
import { invariant } from "#core/model/fault";
import type { Transition } from "#core/ports/event-log";
import { acceptedHeads } from "./accepted-heads.ts";

/** What a batch asks for: the statement has parts for this and for nothing else. */
interface Shape {
  /** More than one execution. */
  readonly several: boolean;
  readonly starts: boolean;
  readonly moves: boolean;
  /** Rows that may be there: none, the one to remove of the one execution, or any. */
  readonly found: "none" | "one" | "any";
  readonly issues: boolean;
  /** How rows are handed over: not at all, where no rule is, or where no rule concerns them. */
  readonly hands: "none" | "unruled" | "ruled";
  readonly letters: boolean;
}

const wanted = `wanted as materialized (
  select * from json_to_recordset(:heads::text::json) as w(
    execution_id bigint, expected integer, head integer, digest text, tenant text, catalog_id bigint,
    path text, version integer, parent_id bigint, status text, started_ms float8, ended_ms float8,
    current_step text, error text))`;

/** In the order of the executions, so that two appends can't wait for each other. */
const locked = `locked as materialized (
  select x.execution_id from noetl.execution x join wanted w on w.execution_id = x.execution_id
  where x.head = w.expected and w.expected > 0
  order by x.execution_id for update of x)`;

/** Of one execution everything is its own; of several, what is said to be. */
const ofAccepted = (id: string, several: boolean): string =>
  several ? `join accepted a on a.execution_id = ${id}` : "cross join accepted a";

const logged = (several: boolean): string => `logged as (
  insert into noetl.event (execution_id, seq, event_id, type, step, payload, digest)
  select e.execution_id, e.seq, e.event_id, e.type, e.step, e.payload::json,
    decode(e.digest, 'hex')
  from json_to_recordset(:events::text::json) as e(execution_id bigint, seq integer, event_id bigint,
    type text, step text, payload text, digest text)
  ${ofAccepted("e.execution_id", several)})`;

const foundRows = `json_to_recordset(:found::text::json) as s(by_id bigint, command_id text,
      stays boolean)`;

/** A row that is alone can be removed as it is found: no order of locks is at stake. */
const settledOne = `settled as (
  delete from noetl.command c using accepted
  where c.command_id = (select s.command_id from ${foundRows}))`;

/** Locked in the order in which renewals lock them, and before anything is done to one. */
const settledAny = `found as materialized (
  select c.command_id, s.stays from noetl.command c
  join ${foundRows} on s.command_id = c.command_id
  join accepted a on a.execution_id = s.by_id
  order by c.command_id for update of c),
settled as (
  delete from noetl.command c using found f where c.command_id = f.command_id and not f.stays)`;

/**
 * Rows that were to be handed over are asked about in the table of rules itself: a fresh rule can't
 * be overshot.
 */
const withheld = {
  none: "",
  unruled: `ruled as materialized (select exists (select from noetl.rule) as has_rules),
`,
  ruled: `ruled as materialized (select exists (select from noetl.rule) as has_rules),
withheld as materialized (
  select distinct i.by_id from json_to_recordset(:issued::text::json) as i(by_id bigint, pool text,
    worker text, tenant text, playbook text, tool text)
  join noetl.rule r on r.key = any(noetl.rule_keys(i.pool, i.playbook, i.tenant, i.tool))
  where i.worker is not null),
`,
};

const isWithheld = {
  none: () => "false",
  unruled: () => "ruled.has_rules",
  ruled: (id: string) => `(${id} in (select by_id from withheld))`,
};

const issued = ({ several, hands, found }: Shape): string => `issued as (
  insert into noetl.command as c (command_id, execution_id, kind, pool, attempt, status, worker,
    handed, leased_at, lease_until, due_at, ready_at, held_until, priority, tenant, playbook, tool,
    labels, suspect_at, payload)
  select i.command_id, i.execution_id, i.kind, i.pool, i.attempt,
    case when g.worker is null then 'ready' else 'leased' end, g.worker, g.worker is not null,
    case when g.worker is not null then clock_timestamp() end,
    case when g.worker is not null
      then clock_timestamp() + i.lease_ms * interval '1 millisecond' end,
    d.due_at, coalesce(d.due_at, now()), coalesce(d.due_at, now()), i.priority, i.tenant, i.playbook, i.tool,
    i.labels, case when i.suspect then now() end, i.payload::json
  from json_to_recordset(:issued::text::json) as i(n integer, by_id bigint, command_id text,
    execution_id bigint, kind text, pool text, attempt integer, worker text, lease_ms float8,
    due_in_ms float8, priority integer, tenant text, playbook text, tool text, labels text[],
    suspect boolean, payload text)
  ${ofAccepted("i.by_id", several)} ${hands === "none" ? "" : "cross join ruled"}
  cross join lateral (
    select case when ${isWithheld[hands]("i.by_id")} then null else i.worker end as worker) g
  cross join lateral (select now() + i.due_in_ms * interval '1 millisecond' as due_at) d
  ${found === "any" ? "where (select count(*) from found) >= 0" : ""}
  order by i.n
  on conflict (command_id) do update set
    execution_id = excluded.execution_id, kind = excluded.kind, pool = excluded.pool,
    attempt = excluded.attempt, status = excluded.status, worker = excluded.worker,
    handed = excluded.handed, leased_at = excluded.leased_at, lease_until = excluded.lease_until,
    expired_at = null, due_at = excluded.due_at, priority = excluded.priority,
    tenant = excluded.tenant, playbook = excluded.playbook, tool = excluded.tool,
    labels = excluded.labels, suspect_at = excluded.suspect_at, courted_until = null,
    ready_at = coalesce(excluded.due_at, least(c.ready_at, now())),
    held_until = coalesce(excluded.due_at, least(c.ready_at, now())), payload = excluded.payload)`;

const buried = `buried as (
  insert into noetl.dead_letter (command_id, execution_id, step, attempt, reason, message, worker)
  select d.command_id, d.execution_id, d.step, d.attempt, d.reason, d.message, d.worker
  from json_to_recordset(:letters::text::json) as d(command_id text, execution_id bigint, step text,
    attempt integer, reason text, message text, worker text)
  join accepted a on a.execution_id = d.execution_id
  on conflict (command_id) do nothing)`;

/**
 * Compare-and-swap of every head, once more when its lock had to be waited for. What follows is done
 * for the accepted executions alone, and they are the answer. Most appends ask for little, and what
 * a statement could do and doesn't costs it as much as the rows it writes.
 */
function textOf(shape: Shape): string {
  const { several, starts, moves, found, issues, hands, letters } = shape;
  const heads = acceptedHeads({
    isLocked: several,
    ...(starts ? { isNew: "w.expected = 0" } : {}),
    moves,
  });
  const parts = [
    wanted,
    ...(several && moves ? [locked] : []),
    heads,
    logged(several),
    ...(found === "none" ? [] : [found === "one" ? settledOne : settledAny]),
    ...(issues ? [`${withheld[hands]}${issued(shape)}`] : []),
    ...(letters ? [buried] : []),
  ];
  return `with ${parts.join(",\n")}
select execution_id::text as id, ${isWithheld[hands]("execution_id")} as withheld,
  ${hands === "none" ? "null::boolean" : "ruled.has_rules"} as ruled
from accepted ${hands === "none" ? "" : "cross join ruled"}`;
}

interface Statement {
  readonly text: string;
  /** The documents that it takes, in the order of its parameters. */
  readonly takes: readonly DocumentName[];
}

const documentNames = ["heads", "events", "found", "issued", "letters"] as const;

type DocumentName = (typeof documentNames)[number];

function numbered(named: string): Statement {
  const takes = documentNames.filter((name) => named.includes(`:${name}::`));
  const text = takes.reduce(
    (rest, name, index) => rest.replaceAll(`:${name}::`, `$${index + 1}::`),
    named,
  );
  return { text, takes };
}

const statements = new Map<string, Statement>();

/** The same text for the same shape: whoever keeps plans finds them by it. */
function statementOf(shape: Shape): Statement {
  const key = Object.values(shape).join(" ");
  const known = statements.get(key);
  if (known !== undefined) return known;
  const statement = numbered(textOf(shape));
  statements.set(key, statement);
  return statement;
}

function wantedRecord({ row, expectedHead, events }: Transition): object {
  const last = events.at(-1);
  invariant(last !== undefined, `the transition of execution ${row.executionId} has no events`);
  const { currentStep, error } = storableRow(row);
  return {
    execution_id: row.executionId,
    expected: expectedHead,
    head: expectedHead + events.length,
    digest: last.digest,
    tenant: row.tenant,
    catalog_id: row.catalogId,
    path: row.path,
    version: row.version,
    parent_id: row.parentId,
    status: row.status,
    started_ms: row.startedAtMs,
    ended_ms: row.endedAtMs,
    current_step: currentStep,
    error,
  };
}

/** The event's text travels as a string: the database would refuse `\u0000` inside a document. */
const eventRecords = ({ events }: Transition): readonly object[] =>
  events.map(({ event, text, digest }) => ({
    execution_id: event.execution_id,
    seq: event.seq,
    event_id: event.event_id,
    type: event.type,
    step: "step" in event && event.step !== undefined ? storableText(event.step) : undefined,
    payload: text,
    digest,
  }));

interface FoundRecord {
  readonly by_id: string;
  readonly command_id: string;
  readonly stays: boolean;
}

/**
 * The rows that may be there already. A command settled and issued again in one transition is a row
 * replaced, not one removed; and a timer or a later attempt mostly takes the place of a row.
 */
function foundRecords({ row, settled, issued }: Transition): readonly FoundRecord[] {
  const again = new Set(issued.map(({ commandId }) => commandId));
  const replacing = issued.filter(({ kind, attempt }) => kind === "timer" || attempt > 1);
  const record = (id: string, stays: boolean) => ({
    by_id: row.executionId,
    command_id: id,
    stays,
  });
  return [
    ...settled.map((id) => record(id, again.has(id))),
    ...replacing.map(({ commandId }) => record(commandId, true)),
  ];
}

/** Of several rows of one command only the last counts, as if they were stored one by one. */
const issuedRecords = ({ row, issued }: Transition) =>
  [...new Map(issued.map((command) => [command.commandId, command])).values()].map((command) => ({
    by_id: row.executionId,
    command_id: command.commandId,
    execution_id: command.executionId,
    kind: command.kind,
    pool: command.pool,
    attempt: command.attempt,
    worker: command.lease?.worker,
    lease_ms: command.lease?.leaseMs,
    due_in_ms: command.dueInMs,
    ...(command.terms ?? plainTerms),
    suspect: command.suspect,
    payload: JSON.stringify(command.payload),
  }));

const letterRecords = ({ row, deadLetters = [] }: Transition): readonly object[] =>
  deadLetters.map((letter) => ({
    command_id: letter.commandId,
    execution_id: row.executionId,
    step: storableText(letter.step),
    attempt: letter.attempt,
    reason: letter.reason,
    message: storableText(letter.message),
    worker: letter.worker === undefined ? undefined : storableText(letter.worker),
  }));

export interface AppendStatement {
  readonly text: string;
  readonly values: readonly string[];
}

/**
 * What stores these transitions; at least one.
 * @param hasRules whether there may be rules. Told no where there are, the statement hands nothing
 *   over, which costs a claim and can't overshoot one.
 */
export function appendStatement(
  transitions: readonly Transition[],
  hasRules: boolean,
): AppendStatement {
  const found = transitions.flatMap(foundRecords);
  const issued = transitions
    .flatMap(issuedRecords)
    .map((record, index) => ({ n: index, ...record }));
  const letters = transitions.flatMap(letterRecords);
  const starts = transitions.filter(({ expectedHead }) => expectedHead === 0).length;
  const isHanding = issued.some(({ worker }) => worker !== undefined);
  const { text, takes } = statementOf({
    several: transitions.length > 1,
    starts: starts > 0,
    moves: starts < transitions.length,
    found: foundShape(found, transitions.length),
    issues: issued.length > 0,
    hands: !isHanding ? "none" : hasRules ? "ruled" : "unruled",
    letters: letters.length > 0,
  });
  const documents: Readonly<Record<DocumentName, readonly object[]>> = {
    heads: transitions.map(wantedRecord),
    events: transitions.flatMap(eventRecords),
    found,
    issued,
    letters,
  };
  return { text, values: takes.map((name) => JSON.stringify(documents[name])) };
}

function foundShape(found: readonly FoundRecord[], executions: number): Shape["found"] {
  const [only] = found;
  if (only === undefined) return "none";
  return executions === 1 && found.length === 1 && !only.stays ? "one" : "any";
}
