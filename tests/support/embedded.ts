// The whole product in the test's own process: control plane, worker, bus and stores, wired as
// the command line wires them. Playbooks go in as text; what came of a run comes out.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Embedded, type EmbeddedOptions, startEmbedded } from "#cli/embedded";
import { pgliteStores } from "#cli/pglite-stores";
import { prepareDataDirectory } from "#control/store/prepared";
import type { ApiClient } from "#core/adapters/api-client";
import { memoryStores } from "#core/adapters/memory-stores";
import { systemClock } from "#core/adapters/system-clock";
import { type Event, terminalStatus } from "#core/model/event";
import { messageOf } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { CredentialRecord } from "#core/ports/control-plane";
import type { Stores } from "#core/ports/stores";
import { executionUpdates } from "#core/wire/subjects";
import { repositoryRoot } from "#scripts/install";
import type { BuiltinToolOptions } from "#worker/registry";
import type { ToolPolicy } from "#worker/tools/tool";

export interface HouseOptions {
  /** `pglite` keeps a database in a temporary folder; the default keeps nothing. */
  readonly store?: "memory" | "pglite";
  /** Texts to register, each under the path its metadata names. */
  readonly playbooks?: readonly string[];
  readonly credentials?: readonly CredentialRecord[];
  /** What tools may do beyond the default: no shell, no files. */
  readonly policy?: Partial<ToolPolicy>;
  readonly slots?: number;
  /** Of what stands around executions, beside the master key. */
  readonly settings?: EmbeddedOptions["settings"];
  /** Of the tools that come with the product. */
  readonly toolOptions?: BuiltinToolOptions;
}

/** What came of one execution. */
export interface HouseRun {
  readonly executionId: ExecutionId;
  readonly status: "completed" | "failed" | "cancelled";
  /** The whole result, also where the log holds a reference; undefined if there is none. */
  readonly result: Json | undefined;
  /** The message of the terminal event. */
  readonly error: string | undefined;
  /** The log, in order. */
  readonly events: readonly Event[];
  /** How each step that was entered ended, and how often it was entered. */
  readonly steps: Readonly<Record<string, { readonly status: string; readonly visits: number }>>;
}

export interface House {
  readonly client: ApiClient;
  readonly embedded: Embedded;
  readonly stores: Stores;
  /** What the control plane and the worker reported as gone wrong and dealt with. */
  readonly reports: readonly string[];
  register(playbook: string): Promise<{ readonly path: string; readonly version: number }>;
  start(path: string, workload?: JsonObject): Promise<ExecutionId>;
  /** Waits for the terminal event of an execution, a child's too. */
  ended(id: ExecutionId): Promise<HouseRun>;
  /** Starts the newest version of the path and waits for its end. */
  run(path: string, workload?: JsonObject): Promise<HouseRun>;
  close(): Promise<void>;
}

const slotsDefault = 8;

export async function startHouse(options: HouseOptions = {}): Promise<House> {
  const { stores, remove } = await openStores(options.store ?? "memory");
  const credentials = new Map(options.credentials?.map((record) => [record.name, record]));
  const reports: string[] = [];
  const embedded = startEmbedded({
    stores,
    credentials: async (alias) => credentials.get(alias),
    policy: { shell: false, fileRoots: [], ...options.policy },
    slots: options.slots ?? slotsDefault,
    ...(options.toolOptions === undefined ? {} : { toolOptions: options.toolOptions }),
    report: (message) => void reports.push(message),
    settings: { NOETL_MASTER_KEY: `house:${btoa("h".repeat(32))}`, ...options.settings },
    workerLog: {
      notice: (message, thrown) => {
        reports.push(thrown === undefined ? message : `${message}: ${messageOf(thrown)}`);
      },
    },
  });
  const { client } = embedded;
  const start = async (path: string, workload: JsonObject = {}): Promise<ExecutionId> => {
    const started = await client.execute({ body: { path, payload: { ...workload } } });
    return executionId(started.execution_id);
  };
  const register = (content: string) => client.registerCatalog({ body: { content } });
  const ended = (id: ExecutionId) => endOf(embedded, stores, id);
  const close = async (): Promise<void> => {
    await embedded.stop(0);
    await remove();
  };
  try {
    for (const playbook of options.playbooks ?? []) await register(playbook);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    client,
    embedded,
    stores,
    reports,
    register,
    start,
    ended,
    run: async (path, workload) => ended(await start(path, workload)),
    close,
  };
}

interface OpenStores {
  readonly stores: Stores;
  remove(): Promise<void>;
}

async function openStores(kind: "memory" | "pglite"): Promise<OpenStores> {
  if (kind === "memory")
    return { stores: memoryStores(systemClock()), remove: async () => undefined };
  const cache = join(repositoryRoot, ".noetl", "cache");
  await prepareDataDirectory(cache);
  const folder = await mkdtemp(join(tmpdir(), "noetl-house-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    return { stores: await pgliteStores(join(folder, "data"), cache), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function endOf(embedded: Embedded, stores: Stores, id: ExecutionId): Promise<HouseRun> {
  await terminal(embedded, stores, id);
  const events = await eventsOf(stores, id);
  const last = events.at(-1);
  const status = last === undefined ? undefined : terminalStatus(last);
  if (status === undefined) throw new Error(`execution ${id} goes on after its terminal event`);
  const detail = await embedded.client.getExecution({ params: { id } });
  const ref = detail.result_ref?.["ref"];
  const result =
    typeof ref === "string"
      ? await embedded.client.resolveResult({ query: { ref } })
      : detail.result;
  return {
    executionId: id,
    status,
    // The log holds JSON, and the contract leaves the values of playbooks untyped.
    result: result as Json | undefined,
    error: detail.error,
    events,
    steps: Object.fromEntries(
      detail.steps.map(({ step, status, visits }) => [step, { status, visits }]),
    ),
  };
}

/** Listens before it looks, so that an end in between is not missed. */
async function terminal(embedded: Embedded, stores: Stores, id: ExecutionId): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const subscription = embedded.bus.subscribe(executionUpdates(id), ({ data }) => {
    // A published update is the event's own text from the log.
    if (terminalStatus(JSON.parse(data) as Event) !== undefined) resolve();
  });
  try {
    const head = await stores.log.head(id);
    if (head === undefined) throw new Error(`execution ${id} does not exist`);
    if (head.row.status === "running") await promise;
  } finally {
    subscription.close();
  }
}

const eventsPage = 1_000;

async function eventsOf(stores: Stores, id: ExecutionId): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (;;) {
    const page = await stores.log.events(id, events.length, eventsPage);
    events.push(...page.map(({ event }) => event));
    if (page.length < eventsPage) return events;
  }
}
