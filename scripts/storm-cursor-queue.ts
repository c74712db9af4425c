// The queues that a cursor storm drains: rows of a table, or messages of a stream. Each knows the
// playbook that drains it, and what is left of it afterwards.

import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { openPostgres } from "#control/store/postgres";
import { ackLoser } from "./ack-loser.ts";
import type { Cluster } from "./cluster.ts";

export const cursorSources = ["postgres", "nats"] as const;
export type CursorSource = (typeof cursorSources)[number];

export interface CursorQueue {
  /** The playbook `storm/drain`; its body calls `<target>/<id of the row>` for each row. */
  readonly playbook: string;
  /** Where the number of a row stands in what the log has of it, as SQL over `row`. */
  readonly idSql: string;
  /** Rows may be claimed again: acknowledgements that were lost bring messages back. */
  readonly mayComeAgain: boolean;
  /** What the queue does badly at first, until this is called. */
  behave(): void;
  /** Rows that are not done, in words; undefined when there are none. */
  stranded(): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface QueueOptions {
  readonly rows: number;
  /** Where each row is told. */
  readonly target: string;
}

/** The alias of the database that a queue of rows stands in. */
export const queueAlias = "jobs";
const framesAtOnce = 8;

export function cursorQueue(
  source: CursorSource,
  cluster: Cluster,
  options: QueueOptions,
): Promise<CursorQueue> {
  return source === "postgres" ? tableQueue(cluster, options) : streamQueue(cluster, options);
}

function drain(cursor: string, frame: string, tasks: string): string {
  return `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: drain, path: storm/drain}
workflow:
- step: drain
  loop:
    cursor:
${cursor.trimEnd()}
    iterator: row
    spec: {mode: cursor, max_in_flight: ${framesAtOnce}, frame: {${frame}}}
  tool:
${tasks.trimEnd()}
`;
}

async function tableQueue(cluster: Cluster, { rows, target }: QueueOptions): Promise<CursorQueue> {
  const url = cluster.postgres.url.replace(/\/[^/]*$/, `/${queueAlias}`);
  const sql = openPostgres(url, { connections: 1 });
  await sql.query("create table queue (id int primary key, state text not null, frame text)");
  await sql.query("create index on queue (id) where state = 'new'");
  await sql.query("create index on queue (frame) where state = 'taken'");
  await sql.query(`insert into queue select generate_series(1, ${rows}), 'new'`);
  await sql.query("analyze queue");
  const cursor = `
      kind: postgres
      auth: ${queueAlias}
      claim: >-
        WITH mine AS (SELECT id FROM queue WHERE frame = '{{ __frame_key }}' AND state = 'taken'),
        fresh AS (SELECT id FROM queue WHERE state = 'new' AND NOT EXISTS (SELECT FROM mine)
          ORDER BY id FOR UPDATE SKIP LOCKED LIMIT {{ __frame_max_rows }})
        UPDATE queue q SET state = 'taken', frame = '{{ __frame_key }}'
        FROM (SELECT id FROM mine UNION ALL SELECT id FROM fresh) c
        WHERE q.id = c.id RETURNING q.id`;
  const tasks = `
  - {name: effect, kind: http, method: POST, url: "${target}/{{ row.id }}"}
  - name: done
    kind: postgres
    auth: ${queueAlias}
    command: "UPDATE queue SET state = 'done' WHERE id = {{ row.id }}"`;
  return {
    playbook: drain(cursor, "max_rows: 100, row_concurrency: 4", tasks),
    idSql: "row->>'id'",
    mayComeAgain: false,
    behave: () => {},
    stranded: async () => {
      const left = await sql.query<{ state: string; rows: number }>(
        "select state, count(*)::int as rows from queue where state <> 'done' group by state",
      );
      if (left.length === 0) return undefined;
      return left.map(({ state, rows: count }) => `${count} rows are ${state}`).join(", ");
    },
    close: () => sql.close(),
  };
}

const [stream, consumer, subject] = ["QUEUE", "drain", "queue.new"];
/** Publications that wait for their answer at once. */
const publishedAtOnce = 500;
/** Shorter than a claim waits, so that messages of a lost worker come back to a claim in time. */
const ackWaitMs = 5_000;

async function streamQueue(cluster: Cluster, { rows, target }: QueueOptions): Promise<CursorQueue> {
  const connection = await connect({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: ["queue.>"] });
  await manager.consumers.add(stream, {
    durable_name: consumer,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ackWaitMs * 1_000_000,
    // More than all frames have in hand.
    max_ack_pending: 10_000,
  });
  const js = jetstream(connection);
  for (let from = 1; from <= rows; from += publishedAtOnce) {
    const ids = Array.from(
      { length: Math.min(publishedAtOnce, rows - from + 1) },
      (_, n) => from + n,
    );
    await Promise.all(ids.map((id) => js.publish(subject, JSON.stringify({ id }))));
  }
  const { hostname: host, port } = new URL(cluster.nats.url);
  const line = await ackLoser({ host, port: Number(port) });
  line.lose(true);
  const cursor = `
      kind: nats
      url: "nats://127.0.0.1:${line.port}"
      stream: ${stream}
      consumer: ${consumer}`;
  const tasks = `
  - {name: effect, kind: http, method: POST, url: "${target}/{{ row.data.id }}"}`;
  return {
    playbook: drain(cursor, "max_rows: 50, row_concurrency: 4, max_seconds: 30", tasks),
    idSql: "row->'data'->>'id'",
    mayComeAgain: true,
    behave: () => line.lose(false),
    stranded: async () => {
      const left = await manager.consumers.info(stream, consumer);
      const { num_pending: waiting, num_ack_pending: inHand } = left;
      if (waiting + inHand === 0) return undefined;
      return `${waiting} messages were never taken, ${inHand} never acknowledged`;
    },
    close: async () => {
      await connection.close();
      await line.close();
    },
  };
}
