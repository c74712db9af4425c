// The distributed shape on this machine, for measurements: PostgreSQL with all its durability, a
// NATS server, control planes and workers as processes, and a client that knows when runs end.

import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { natsBus } from "#core/adapters/nats-bus";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { Bus } from "#core/ports/bus";
import { executionUpdate } from "#core/wire/subjects";
import { type Cluster, startCluster } from "#scripts/cluster";
import { cpuSecondsOf } from "#scripts/process-usage";

export interface DistributedHouse {
  readonly client: ApiClient;
  readonly sql: Sql;
  /** The database that `bench_pg` leads to. */
  readonly target: Sql;
  readonly cluster: Cluster;
  register(text: string): Promise<void>;
  /** Starts a playbook and resolves once it has completed. @throws Error when it ends otherwise. */
  run(path: string, workload?: JsonObject): Promise<void>;
  /** CPU seconds by process so far, this one's too. */
  cpu(): Promise<Readonly<Record<string, number>>>;
  /** Transactions that the database has committed so far. */
  commits(): Promise<number>;
  close(): Promise<void>;
}

export interface DistributedOptions {
  /** What the control planes do; all roles without it. */
  readonly roles?: string;
  readonly controls?: number;
  readonly workers?: number;
  readonly slots?: number;
  readonly workerEnvironment?: Readonly<Record<string, string>>;
}

/** As the peers are measured: what makes the database safe stays on. */
const durable = [
  "shared_buffers=1GB",
  "max_wal_size=4GB",
  "fsync=on",
  "synchronous_commit=on",
  "max_connections=200",
];

export async function startDistributed(
  options: DistributedOptions = {},
): Promise<DistributedHouse> {
  const { controls = 1, workers = 1, slots = 256, roles } = options;
  const cluster = await startCluster({
    controls,
    workers,
    slots,
    workerEnvironment: options.workerEnvironment ?? {},
    credential: "bench_pg",
    controlEnvironment: roles === undefined ? {} : { NOETL_ROLES: roles },
    postgresSettings: durable,
  });
  const { postgres, nats, urls } = cluster;
  const bus = natsBus({ servers: nats.url, name: "bench" });
  const sql = openPostgres(postgres.url, { connections: 2 });
  const target = openPostgres(postgres.url.replace(/\/[^/]*$/, "/bench_pg"), { connections: 1 });
  const client = apiClient({ fetch: (request) => fetch(request), baseUrl: urls[0] ?? "" });
  const pids = async (): Promise<readonly (readonly [string, number])[]> => [
    ["postgres", await postgres.pid()],
    ["nats", nats.pid() ?? 0],
    ...[...cluster.controls, ...cluster.workers].map(({ name, pid }) => [name, pid] as const),
    ["client", process.pid],
  ];
  return {
    client,
    sql,
    target,
    cluster,
    register: async (content) => {
      await client.registerCatalog({ body: { content } });
    },
    run: runner(client, bus),
    cpu: async () => Object.fromEntries((await pids()).map(([name, pid]) => [name, usedBy(pid)])),
    commits: () => commitsOf(sql),
    close: async () => {
      await bus.close();
      await sql.close();
      await target.close();
      await cluster.close();
    },
  };
}

/** This process started all the others, whose time is counted by themselves. */
function usedBy(pid: number): number {
  if (pid !== process.pid) return cpuSecondsOf(pid);
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

async function commitsOf(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ ids: number }>(
    "select pg_snapshot_xmax(pg_current_snapshot())::text::float8 as ids",
  );
  return row?.ids ?? 0;
}

function runner(client: ApiClient, bus: Bus): DistributedHouse["run"] {
  const ended = new Map<string, string>();
  const waiting = new Map<string, (how: string) => void>();
  // The bus takes `*` for any id, which no type says.
  bus.subscribe(executionUpdate("*" as ExecutionId, "playbook.*"), ({ subject }) => {
    const [, , id = "", , how = ""] = subject.split(".");
    if (how === "started") return;
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (waiter === undefined) ended.set(id, how);
    else waiter(how);
  });
  return async (path, workload = {}) => {
    const { execution_id: id } = await client.execute({ body: { path, payload: workload } });
    const known = ended.get(id);
    ended.delete(id);
    const how = known ?? (await new Promise<string>((resolve) => waiting.set(id, resolve)));
    if (how !== "completed") throw new Error(`execution ${id} of ${path} ended ${how}`);
  };
}
