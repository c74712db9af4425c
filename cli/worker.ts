// `noetl worker`: a worker for a control plane that is reached over the network, until it is told
// to stop; with `--processes N`, a parent that keeps N of them running.

import { isCompiled } from "#core/adapters/compiled";
import { exitInterrupted, stopAsked } from "#core/adapters/stop-signals";
import { type WorkerSettings, workerSettings } from "#worker/config";
import { failing, serveHealth } from "#worker/health";
import { startWorkerProcess } from "#worker/main";
import { isSupervised, leaveSupervisor, supervise, supervisorGone } from "#worker/supervisor";
import { type Arguments, UsageError } from "./arguments.ts";
import { configured, configuredFor } from "./config.ts";
import { runningDev } from "./dev-file.ts";
import { exitOk, exitOtherDatabase } from "./exit-codes.ts";
import { version } from "./version.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const report = (message: string): void => console.error(`noetl: ${message}`);

/**
 * Runs until SIGINT or SIGTERM, which let running tools end within the grace; the second one quits.
 * @returns 0 when it was stopped, 3 when its database was replaced, 130 when it was told twice.
 * @throws UsageError without a control plane to work for.
 */
export async function worker(args: Arguments): Promise<number> {
  const environment = environmentOf(args);
  const read = configuredFor(workerSettings, environment);
  // One port serves one process: the supervisor answers for all of its workers.
  const settings = isSupervised ? { ...read, NOETL_HEALTH_PORT: undefined } : read;
  const servers = serversOf(settings);
  if (settings.NOETL_PROCESSES > 1) {
    return superviseWorkers(settings, { ...environment, NOETL_SERVER_URL: servers.join(",") });
  }
  const asked = Promise.race([stopAsked(), supervisorGone()]);
  const running = startWorkerProcess({ settings, servers, version, report });
  const pools = settings.NOETL_POOLS.join(", ");
  console.log(
    `noetl worker ${version} ${running.workerId}, pools ${pools}, at ${servers.join(", ")}`,
  );
  if (running.healthUrl !== undefined) console.log(`health at ${running.healthUrl}`);
  const reason = await Promise.race([asked.then(() => undefined), running.broken]);
  if (reason !== undefined) report(`${reason}; ending`);
  console.log("stopping; running tools may end, once more quits at once");
  await running.stop();
  leaveSupervisor();
  return reason === undefined ? exitOk : exitOtherDatabase;
}

/** Flags win over the environment. */
function environmentOf(args: Arguments): Environment {
  const pools = args.list("pool").join(",");
  const labels = args.list("label").join(",");
  const given = {
    NOETL_SERVER_URL: args.text("server"),
    NOETL_POOLS: pools === "" ? undefined : pools,
    NOETL_LABELS: labels === "" ? undefined : labels,
    NOETL_SLOTS: args.text("slots"),
    NOETL_PROCESSES: args.text("processes"),
    NOETL_WORKER_ALLOW_SHELL: args.has("allow-shell") ? "true" : undefined,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...process.env, ...Object.fromEntries(set) };
}

function serversOf({ NOETL_SERVER_URL: named }: WorkerSettings): readonly string[] {
  if (named !== undefined) return named;
  const dev = runningDev(configured().NOETL_DIRECTORY);
  if (dev !== undefined) return [dev.url];
  throw new UsageError(
    "no control plane: expected --server URL, NOETL_SERVER_URL, or a running `noetl dev` in this directory",
  );
}

async function superviseWorkers(
  settings: WorkerSettings,
  environment: Environment,
): Promise<number> {
  const { NOETL_PROCESSES: processes, NOETL_HEALTH_PORT: port } = settings;
  const supervisor = supervise({
    ...{ processes, command: ownCommand(), environment, report },
    lastCode: exitOtherDatabase,
  });
  let signals = 0;
  const told = (): void => {
    signals += 1;
    supervisor.stop();
  };
  process.on("SIGINT", told);
  process.on("SIGTERM", told);
  const health =
    port === undefined
      ? undefined
      : serveHealth(port, () => ({
          status: supervisor.isWell() ? "ok" : failing,
          processes: supervisor.pids().length,
        }));
  console.log(`noetl worker ${version}, ${processes} processes`);
  if (health !== undefined) console.log(`health at ${health.url}`);
  const last = await supervisor.ended;
  await health?.stop();
  if (last !== undefined) return last;
  return signals > 1 ? exitInterrupted : exitOk;
}

/** This program again; all that the flags said is in the environment. */
function ownCommand(): readonly string[] {
  return isCompiled ? [process.execPath, "worker"] : [process.execPath, Bun.main, "worker"];
}
