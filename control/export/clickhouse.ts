// Events as rows of ClickHouse, written over HTTP. A row that is written twice replaces itself: its
// place in its execution is its key.

import { Fault } from "#core/model/fault";
import { clickhouseSchema } from "./clickhouse-schema.ts";
import { type FlatEvent, flatEvent } from "./flat-event.ts";
import { type Ask, type ExportRequest, type ExportSink, placeOf } from "./sink.ts";

export interface ClickhouseOptions {
  readonly url: string;
  /** A plain identifier. */
  readonly database: string;
}

export function clickhouse({ url, database }: ClickhouseOptions): ExportSink {
  const statement = (text: string, body = ""): ExportRequest => {
    const target = new URL(url);
    target.searchParams.set("query", text);
    // An answer that begins before the work ends could not tell of its failure.
    target.searchParams.set("wait_end_of_query", "1");
    const headers = { "content-type": "text/plain; charset=utf-8" };
    return { method: "POST", url: target.href, headers, body };
  };
  return {
    name: "clickhouse",
    place: `${placeOf(url)} ${database}`,
    prepare: (ask) => prepare(ask, database, statement),
    begin: () => ({ items: async (events) => events.map((told) => rowText(flatEvent(told))) }),
    request: (items) =>
      statement(`insert into ${database}.noetl_events format JSONEachRow`, items.join("\n")),
  };
}

/** Somebody who may only insert is content with tables that somebody else has made. */
async function prepare(
  ask: Ask,
  database: string,
  statement: (text: string) => ExportRequest,
): Promise<void> {
  for (const text of clickhouseSchema(database)) {
    const answer = await ask(statement(text));
    if (answer.status === 200) continue;
    const probe = await ask(statement(`select EventId from ${database}.noetl_events limit 0`));
    if (probe.status === 200) return;
    throw new Fault(
      "unavailable",
      `the tables in database ${database} could not be made: status ${answer.status}`,
    );
  }
}

function rowText(event: FlatEvent): string {
  return JSON.stringify({
    // ClickHouse reads this form of a time without being told to.
    Timestamp: new Date(event.timeMs).toISOString().replace("T", " ").replace("Z", ""),
    EventId: event.eventId,
    ExecutionId: event.executionId,
    Seq: event.seq,
    EventType: event.type,
    Status: event.status,
    Tenant: event.tenant,
    Path: event.path,
    Version: event.version,
    StepName: event.step,
    CommandId: event.commandId,
    Attempt: event.attempt,
    Worker: event.worker,
    Duration: event.durationSeconds,
    ErrorKind: event.errorKind,
    ErrorMessage: event.errorMessage,
  });
}
