// A worker as a process of its own: from its settings to a running worker, and to its orderly end.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { trustedCertificates } from "#core/adapters/ca-file";
import { lockFolder } from "#core/adapters/folder-lock";
import { httpStepLogs } from "#core/adapters/http-step-logs";
import { natsBus } from "#core/adapters/nats-bus";
import { routedControl } from "#core/adapters/routed-control";
import { steadyClock } from "#core/adapters/system-clock";
import { wireFetch } from "#core/adapters/wire-client";
import { messageOf } from "#core/model/fault";
import type { Bus } from "#core/ports/bus";
import type { ToolPolicy } from "#worker/tools/tool";
import type { WorkerSettings } from "./config.ts";
import { watchDatabase } from "./database-watch.ts";
import { type HealthServer, type HealthStatus, serveHealth } from "./health.ts";
import { logShipper } from "./log-shipper.ts";
import { startWorker } from "./loop.ts";
import { startRegistration } from "./registration.ts";
import { builtinTools, type ToolRegistry } from "./registry.ts";
import { runToolOptions } from "./run-tool-options.ts";
import { spoolFolder } from "./spool-folders.ts";

export interface WorkerProcessOptions {
  readonly settings: WorkerSettings;
  /** Addresses of replicas of the control plane; at least one. */
  readonly servers: readonly string[];
  readonly version: string;
  /** Told of what went wrong and was dealt with. */
  readonly report: (message: string) => void;
  /** How long every server must name another database before `broken` says so. */
  readonly otherDatabaseMs?: number;
}

export interface WorkerProcess {
  readonly workerId: string;
  /** Where it tells how it is, if it was given a port for that. */
  readonly healthUrl: string | undefined;
  /** Resolves with the reason when it can't go on: its servers have another database for good. */
  readonly broken: Promise<string>;
  /**
   * Takes nothing new, lets tools end within the grace of the settings, gives the rest back, and
   * sends the last lines. Doing it twice is doing it once.
   */
  stop(): Promise<void>;
}

/** What every request shows to be let in. */
function shownToken({ NOETL_INTERNAL_API_TOKEN: token }: WorkerSettings) {
  const shown: Readonly<Record<string, string>> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  return () => shown;
}

/** The last lines are few, and on their way already. */
const lastLinesMs = 3_000;

/** @throws Fault `unavailable` when the health port can't be had, `invalid` for bad servers. */
export function startWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const { settings, servers, version, otherDatabaseMs: patienceMs } = options;
  const { NOETL_POOLS: pools, NOETL_SLOTS: slots, NATS_URL: nats } = settings;
  const workerId = `${settings.NOETL_WORKER_ID ?? hostname()}-${process.pid}-${randomHex(3)}`;
  const notice = noticeOf(options.report);
  // A machine whose clock is set must not hold renewals back, nor end leases.
  const clock = steadyClock();
  const headers = shownToken(settings);
  const wire = wireFetch({ fetch: (request) => fetch(request), clock, headers });
  const watch = watchDatabase({ servers, clock, fetch: wire.fetch, patienceMs });
  const control = routedControl({ servers, fetch: watch.fetch, clock, notice });
  const bus = nats === undefined ? undefined : busOf(nats, settings, { workerId, notice });
  const sink = httpStepLogs([control.client], `${workerId}-${randomHex(8)}`);
  const shipper = logShipper({ sink, clock, log: { notice } });
  const spool = spoolFolder({ directory: settings.NOETL_SPOOL_DIRECTORY, lock: lockFolder });
  const tools = toolsOf(settings, { servers, version });
  const worker = startWorker({
    control,
    ...(bus === undefined ? {} : { bus }),
    clock,
    tools,
    workerId,
    pools,
    labels: settings.NOETL_LABELS ?? [],
    slots,
    spool,
    policy: policyOf(settings),
    log: shipper.log,
  });
  const registration = startRegistration({
    client: control.client,
    clock,
    name: workerId,
    pools,
    labels: settings.NOETL_LABELS ?? [],
    capacity: slots,
    version,
    load: () => worker.load(),
    notice,
  });
  let isStopping = false;
  const health = healthOf(settings, () => {
    const status = isStopping ? "draining" : "ok";
    return { status, worker: workerId, version, pools, slots, ...worker.load() };
  });
  const stop = async (): Promise<void> => {
    isStopping = true;
    watch.stop();
    await worker.stop({ graceMs: settings.NOETL_STOP_GRACE_MS });
    await Promise.all([registration.stop(), shipper.close(lastLinesMs)]);
    await tools.close();
    await bus?.close();
    wire.close();
    spool.close();
    await health?.stop();
  };
  let stopped: Promise<void> | undefined;
  return {
    workerId,
    healthUrl: health?.url,
    broken: watch.replaced.then(
      (reason) => `${reason}; what could not be reported stays in ${spool.folder}`,
    ),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

function policyOf({
  NOETL_WORKER_ALLOW_SHELL: shell,
  NOETL_WORKER_FILE_ROOTS: fileRoots = [],
}: WorkerSettings): ToolPolicy {
  return { shell, fileRoots };
}

function busOf(
  servers: string,
  { NATS_CA_FILE: caFile }: WorkerSettings,
  { workerId, notice }: { readonly workerId: string; readonly notice: (message: string) => void },
): Bus {
  if (caFile !== undefined) trustedCertificates("NATS_CA_FILE", caFile);
  const trusted = caFile === undefined ? {} : { caFile };
  return natsBus({ servers, name: `noetl worker ${workerId}`, onNotice: notice, ...trusted });
}

function healthOf(
  { NOETL_HEALTH_PORT: port }: WorkerSettings,
  status: () => HealthStatus,
): HealthServer | undefined {
  return port === undefined ? undefined : serveHealth(port, status);
}

interface About {
  readonly servers: readonly string[];
  readonly version: string;
}

function toolsOf(settings: WorkerSettings, { servers, version }: About): ToolRegistry {
  const { NOETL_TOOL_MEMORY_MB: megabytes, NOETL_DUCKDB_EXTENSIONS: extensions } = settings;
  const memoryBytes = megabytes === undefined ? undefined : megabytes * 1_048_576;
  const [serverUrl] = servers;
  return builtinTools({
    python: {
      runnersMax: settings.NOETL_PYTHON_PROCESSES,
      ...(serverUrl === undefined ? {} : { serverUrl }),
      ...(memoryBytes === undefined ? {} : { addressBytesMax: memoryBytes }),
    },
    javascript: { processesMax: settings.NOETL_JAVASCRIPT_PROCESSES },
    shell: memoryBytes === undefined ? {} : { memoryBytesMax: memoryBytes },
    ...(extensions === undefined ? {} : { duckdb: { extensions } }),
    run: runToolOptions(settings, { serverUrl: () => serverUrl, version }),
  });
}

function noticeOf(report: (message: string) => void) {
  return (message: string, thrown?: unknown): void => {
    report(thrown === undefined ? message : `${message}: ${messageOf(thrown)}`);
  };
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}
