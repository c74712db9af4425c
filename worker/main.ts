// A worker as a process of its own: from its settings to a running worker, and to its orderly end.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { trustedCertificates } from "#core/adapters/ca-file";
import { lockFolder } from "#core/adapters/folder-lock";
import { httpStepLogs } from "#core/adapters/http-step-logs";
import { metrics } from "#core/adapters/metrics";
import { natsBus } from "#core/adapters/nats-bus";
import { routedControl } from "#core/adapters/routed-control";
import { steadyClock } from "#core/adapters/system-clock";
import { wireFetch } from "#core/adapters/wire-client";
import { messageOf } from "#core/model/fault";
import type { Bus } from "#core/ports/bus";
import type { Clock } from "#core/ports/clock";
import type { ToolPolicy } from "#worker/tools/tool";
import type { WorkerSettings } from "./config.ts";
import { watchDatabase } from "./database-watch.ts";
import { type HealthServer, type HealthStatus, serveHealth } from "./health.ts";
import { logShipper } from "./log-shipper.ts";
import { startWorker } from "./loop.ts";
import { startRegistration } from "./registration.ts";
import { builtinTools, type ToolRegistry } from "./registry.ts";
import { runToolOptions } from "./run-tool-options.ts";
import { sealingKey } from "./sealing.ts";
import { spoolFolder } from "./spool-folders.ts";
import { workerNumbers } from "./worker-metrics.ts";

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
  const { settings, servers, version } = options;
  const { NOETL_POOLS: pools, NOETL_SLOTS: slots, NATS_URL: nats } = settings;
  const workerId = `${settings.NOETL_WORKER_ID ?? hostname()}-${process.pid}-${randomHex(3)}`;
  const notice = noticeOf(options.report);
  // A machine whose clock is set must not hold renewals back, nor end leases.
  const clock = steadyClock();
  const { wire, watch, sealing, control } = lineTo(options, clock, notice);
  const bus = nats === undefined ? undefined : busOf(nats, settings, { workerId, notice });
  const sink = httpStepLogs([control.client], `${workerId}-${randomHex(8)}`);
  const shipper = logShipper({ sink, clock, log: { notice } });
  const spool = spoolFolder({ directory: settings.NOETL_SPOOL_DIRECTORY, lock: lockFolder });
  const tools = toolsOf(settings, { servers, version });
  const own = { clock, pools, labels: settings.NOETL_LABELS ?? [] };
  const load = () => worker.load();
  const numbers = workerNumbers({ metrics: metrics(), clock, version, load });
  const worker = startWorker({
    control: numbers.counted(control),
    ...(bus === undefined ? {} : { bus }),
    ...own,
    tools,
    workerId,
    slots,
    spool,
    policy: policyOf(settings),
    log: shipper.log,
  });
  const registration = startRegistration({
    client: control.client,
    ...own,
    name: workerId,
    capacity: slots,
    version,
    load: () => worker.load(),
    sealing,
    notice,
  });
  let status: HealthStatus["status"] = "ok";
  const about = { worker: workerId, version, pools, slots };
  const told = (): HealthStatus => ({ status, ...about, ...worker.load() });
  const health = healthOf(settings, told, numbers.text);
  const stop = async (): Promise<void> => {
    status = "draining";
    watch.stop();
    await worker.stop({ graceMs: settings.NOETL_STOP_GRACE_MS });
    await Promise.all([registration.stop(), shipper.close(lastLinesMs)]);
    await tools.close();
    await bus?.close();
    wire.close();
    spool.close();
    await health?.stop();
  };
  return {
    workerId,
    healthUrl: health?.url,
    broken: watch.replaced.then(
      (reason) => `${reason}; what could not be reported stays in ${spool.folder}`,
    ),
    stop: once(stop),
  };
}

function once(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= stop();
    return stopped;
  };
}

/** The control plane as this worker reaches it, and the key that it is given secrets to. */
function lineTo(
  { settings, servers, otherDatabaseMs: patienceMs }: WorkerProcessOptions,
  clock: Clock,
  notice: (message: string, thrown?: unknown) => void,
) {
  const headers = shownToken(settings);
  const wire = wireFetch({ fetch: (request) => fetch(request), clock, headers });
  const watch = watchDatabase({ servers, clock, fetch: wire.fetch, patienceMs });
  const sealing = sealingKey();
  const control = routedControl({ servers, fetch: watch.fetch, clock, notice, sealing });
  return { wire, watch, sealing, control };
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
  numbers: () => string,
): HealthServer | undefined {
  return port === undefined ? undefined : serveHealth(port, status, numbers);
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
