// A control plane as a process of its own: a database, a bus and a socket. Any number of them may
// run over one database; none is the leader.

import { hostname } from "node:os";
import { startRoles } from "#control/roles/roles";
import type { ControlPorts } from "#control/services/context";
import { openReplica, type Replica } from "#control/services/membership";
import { openDatabase } from "#control/store/database";
import { migrate } from "#control/store/migrate";
import { postgresOutside } from "#control/store/postgres-outside";
import { sqlStores } from "#control/store/stores";
import { trustedCertificates } from "#core/adapters/ca-file";
import { type Listening, listen } from "#core/adapters/listen";
import { memoryBus } from "#core/adapters/memory-bus";
import { natsBus } from "#core/adapters/nats-bus";
import { natsMirror } from "#core/adapters/nats-mirror";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { Fault } from "#core/model/fault";
import { identityWatchMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { EventMirror } from "#core/ports/event-mirror";
import type { Stores } from "#core/ports/stores";
import type { Fetch } from "./app.ts";
import type { ControlRole, ControlSettings } from "./config.ts";
import { type Control, startControl } from "./control.ts";
import { fileCredentials } from "./credentials-file.ts";
import { documentation } from "./documentation.ts";
import { type Platform, platformOf } from "./platform.ts";

export interface ControlProcess {
  /** Where it listens: `http://127.0.0.1:8082`. */
  readonly url: string;
  /** Resolves with the reason when it can't go on: the database is another one than it was. */
  readonly broken: Promise<string>;
  /** Takes no new requests, answers those under way, and leaves the others the rest. */
  stop(): Promise<void>;
}

export interface ControlProcessOptions {
  readonly databaseUrl: string;
  readonly settings: ControlSettings;
  readonly version: string;
  /** Told of what went wrong inside and was dealt with. */
  readonly report: (message: string) => void;
}

/** @throws Fault `unavailable` when the database or the port can't be had, `invalid` for settings. */
export async function startControlProcess(options: ControlProcessOptions): Promise<ControlProcess> {
  const { databaseUrl, settings, version, report } = options;
  const { NOETL_DATABASE_DRIVER: driver, DATABASE_CA_FILE: caFile } = settings;
  const ca = caFile === undefined ? undefined : trustedCertificates("DATABASE_CA_FILE", caFile);
  const sql = openDatabase(databaseUrl, { driver, ca });
  try {
    await migrate(sql);
    return await startOver(sqlStores(sql), { settings, version, report });
  } catch (thrown) {
    await sql.close().catch(() => {});
    throw thrown;
  }
}

type Options = Omit<ControlProcessOptions, "databaseUrl">;

async function startOver(stores: Stores, options: Options): Promise<ControlProcess> {
  const { settings, report } = options;
  const roles = settings.NOETL_ROLES as readonly ControlRole[];
  checkAccess(options);
  const { clusterId } = await stores.feed.identity();
  const clock = systemClock();
  const door = openDoor(settings);
  const { server } = door;
  const replica = await replicaOf(stores, clock, options);
  const { NOETL_PUBLIC_URL: url = reachable(server.url) } = settings;
  const platform = platformOf(settings, stores, {
    ...{ clock, sha256, report },
    readText: (path) => Bun.file(path).text(),
    credentials: fileCredentials(settings.NOETL_CREDENTIALS_FILE),
  });
  const { ports, mirror } = portsOf(stores, { ...options, clock, replica, url, platform });
  const control = startControl(ports, {
    access: platform.access,
    report,
    documentation: documentation(options.version),
    toolPools: new Map(Object.entries(settings.NOETL_TOOL_POOLS ?? {})),
    membership: replica,
    identity: () => clusterId,
    resident: roles.includes("sweeper"),
  });
  const { NOETL_RETENTION_DAYS: retentionDays } = settings;
  const beside = startRoles(ports, {
    ...{ roles, owner: replica.name, report },
    ...(retentionDays === undefined ? {} : { retentionDays }),
    ...(mirror === undefined ? {} : { mirror }),
    executions: control.executions,
    duties: platform.duties,
    beside: platform.beside(control.executions, ports),
  });
  const isApi = roles.includes("api");
  door.serve(isApi ? control : { ...control, fetch: healthOnly(control.fetch) });
  if (isApi) await replica.join(url);
  const watch = watchIdentity(stores, clusterId, clock);
  return {
    url: server.url,
    broken: watch.broken,
    stop: async () => {
      watch.stop();
      await replica.leave();
      // Requests that are kept open for work would be waited for.
      control.executions.standby.close();
      await server.stop();
      await beside.stop();
      await control.stop();
      await ports.bus.close();
      await replica.close();
      await stores.close();
    },
  };
}

function replicaOf(stores: Stores, clock: Clock, { version, report }: Options): Promise<Replica> {
  return openReplica({
    registry: stores.runtime,
    clock,
    name: `${hostname()}-${process.pid}-${Bun.randomUUIDv7().slice(-6)}`,
    mint: (machine) => snowflakeMint(clock, machine),
    version,
    hostname: hostname(),
    pid: process.pid,
    report,
  });
}

interface Surroundings extends Options {
  readonly clock: Clock;
  readonly replica: Replica;
  readonly url: string;
  readonly platform: Platform;
}

const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

/** What the services are given, and the mirror of the log where there is a bus to mirror it to. */
function portsOf(
  stores: Stores,
  { settings, version, report, clock, replica, url, platform }: Surroundings,
): { readonly ports: ControlPorts; readonly mirror: EventMirror | undefined } {
  const { NATS_URL: servers, NATS_CA_FILE: caFile } = settings;
  if (caFile !== undefined) trustedCertificates("NATS_CA_FILE", caFile);
  const trusted = caFile === undefined ? {} : { caFile };
  const name = `noetl control ${replica.name}`;
  const bus =
    servers === undefined ? memoryBus() : natsBus({ servers, name, onNotice: report, ...trusted });
  const isMirrored = servers !== undefined && settings.NOETL_ROLES.includes("publisher");
  return {
    mirror: isMirrored ? natsMirror({ servers, name: `${name} mirror`, ...trusted }) : undefined,
    ports: {
      ...stores,
      bus,
      clock,
      ids: replica.ids,
      sha256,
      ...platform.ports,
      outsideSql: postgresOutside(settings.DATABASE_URL),
      serverUrl: url,
      engineVersion: version,
    },
  };
}

/** Nobody else reaches the address that stands for all of this machine's; its name they may. */
function reachable(url: string): string {
  return url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, `http://${hostname()}`);
}

/**
 * A control plane that lets in who shows a token has to know one: its workers would be strangers.
 * @throws Fault `invalid` naming what to set.
 */
function checkAccess({ settings, report }: Options): void {
  const { NOETL_ACCESS: mode, NOETL_INTERNAL_API_TOKEN: tokens, NOETL_ROLES: roles } = settings;
  if (!roles.includes("api")) return;
  if (mode === "open") {
    report("NOETL_ACCESS=open: everybody who reaches this control plane is its administrator");
  }
  if (mode !== "required" || tokens !== undefined) return;
  throw new Fault(
    "invalid",
    "NOETL_INTERNAL_API_TOKEN: expected a token that workers show too, found none; " +
      "people get theirs from `noetl admin create`; NOETL_ACCESS=open lets everybody in, for tests",
  );
}

type Served = Pick<Control, "fetch" | "refusal">;

interface Door {
  readonly server: Listening;
  /** From here on requests are answered by this; those that came before wait for it. */
  serve(control: Served): void;
}

function openDoor(settings: ControlSettings): Door {
  const { NOETL_HOST: host, NOETL_PORT: port, NOETL_ROLES: roles } = settings;
  const opened = Promise.withResolvers<Served>();
  const server = listen(async (request) => (await opened.promise).fetch(request), {
    host,
    port,
    exact: true,
    wire: roles.includes("api"),
    refusal: async (request) => (await opened.promise).refusal(request),
  });
  return { server, serve: opened.resolve };
}

/** A process without the role `api` says how it is, and nothing else. */
function healthOnly(fetch: Fetch): Fetch {
  return async (request) =>
    new URL(request.url).pathname === "/api/health"
      ? fetch(request)
      : new Response(null, { status: 404 });
}

/**
 * Looks now and then whether the database is still the one it was: another one behind the same
 * address has other executions, and what this process knows is of no use there.
 */
function watchIdentity(
  { feed }: Stores,
  clusterId: string,
  clock: Clock,
): { readonly broken: Promise<string>; stop(): void } {
  const stopped = new AbortController();
  const broken = Promise.withResolvers<string>();
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(identityWatchMs, stopped.signal);
      if (stopped.signal.aborted) return;
      const now = await feed.identity().catch((thrown: unknown) => {
        // A database that can't be asked may be asked again later.
        if (thrown instanceof Fault) return undefined;
        throw thrown;
      });
      if (now === undefined || now.clusterId === clusterId) continue;
      broken.resolve(`expected the database of cluster ${clusterId}, found ${now.clusterId}`);
      return;
    }
  };
  void watch();
  return { broken: broken.promise, stop: () => stopped.abort() };
}
