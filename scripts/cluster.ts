// The distributed shape on one machine: a real PostgreSQL, a real NATS server, control planes and
// workers, all in a scratch folder that goes with them. What needs such a house starts it here.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres } from "#control/store/postgres";
import { guardServers } from "./cluster-guard.ts";
import { type ControlLines, closeLines, controlLines } from "./cluster-lines.ts";
import { type Member, startControlMember, startWorkerMember } from "./cluster-member.ts";
import { freePortFrom } from "./free-port.ts";
import { type ScratchNats, scratchNats } from "./scratch-nats.ts";
import { type ScratchPostgres, scratchPostgres } from "./scratch-postgres.ts";

export interface ClusterOptions {
  readonly controls: number;
  readonly workers: number;
  readonly slots: number;
  /** Of the first control plane, the next ones follow; any free ones without it. */
  readonly port?: number;
  readonly postgresSettings?: readonly string[];
  /** An alias for whose credential a database of that name is made beside that of the log. */
  readonly credential?: string;
  /** What stands before `control` and `worker`; the checkout's own program without it. */
  readonly program?: readonly string[];
  readonly workerEnvironment?: Readonly<Record<string, string>>;
  readonly controlEnvironment?: Readonly<Record<string, string>>;
  /** Whom control planes let in besides workers: programs of this machine, without it. */
  readonly access?: "required" | "local" | "open";
  /** Told of every line that a member writes. */
  readonly onLine?: (member: string, line: string) => void;
  /** Puts wires between the processes that can be cut. */
  readonly hasLines?: boolean;
  /** Members are told of a NATS server that is not there before it is started. */
  readonly natsStartsLater?: boolean;
}

export interface Cluster {
  readonly postgres: ScratchPostgres;
  readonly nats: ScratchNats;
  /** Those that were started, dead or alive. */
  readonly controls: readonly Member[];
  readonly workers: readonly Member[];
  /** Addresses of the control planes, in the order of their start. */
  readonly urls: readonly string[];
  /** What workers show to be let in. */
  readonly internalToken: string;
  /** The wires of each control plane, in the same order; none unless they were asked for. */
  readonly lines: readonly ControlLines[];
  startControl(port?: number): Promise<Member>;
  /** Another life of the control plane that was started as the so-manieth, from 0, with its wires. */
  restartControl(place: number): Promise<Member>;
  startWorker(): Promise<Member>;
  /** Ends all members, then the servers, and removes all that they had. */
  close(): Promise<void>;
}

/** @throws Error where a program is missing, or a member ends before it is ready. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "noetl-cluster-"));
  const guard = await guardServers(folder);
  const servers: (() => Promise<void>)[] = [
    () => rm(folder, { recursive: true, force: true }),
    guard.release,
  ];
  const [controls, workers, lines]: [Member[], Member[], ControlLines[]] = [[], [], []];
  const close = async (): Promise<void> => {
    await Promise.all(workers.map(({ stop }) => stop()));
    await Promise.all(controls.map(({ stop }) => stop()));
    await Promise.all(lines.map(closeLines));
    for (const stop of servers.reverse()) await stop();
  };
  try {
    const { postgresSettings: settings = [], natsStartsLater: startsLater = false } = options;
    const postgres = await scratchPostgres({ settings, parent: folder });
    servers.push(postgres.stop);
    const nats = await scratchNats({ configuration: guard.natsConfiguration, startsLater });
    servers.push(nats.stop);
    const internalToken = crypto.randomUUID();
    const parts = { options, postgres, nats, folder, controls, workers, lines, internalToken };
    const { start, urls } = memberStarts(parts);
    for (let n = 0; n < options.controls; n++) {
      const first = options.port === undefined ? undefined : options.port + n;
      await start.control(first === undefined ? undefined : await freePortFrom(first));
    }
    await Promise.all(Array.from({ length: options.workers }, start.worker));
    return {
      ...{ postgres, nats, controls, workers, urls, lines, internalToken, close },
      startControl: start.control,
      restartControl: start.controlAgain,
      startWorker: start.worker,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

interface Parts {
  readonly options: ClusterOptions;
  readonly postgres: ScratchPostgres;
  readonly nats: ScratchNats;
  readonly folder: string;
  readonly controls: Member[];
  readonly workers: Member[];
  readonly lines: ControlLines[];
  readonly internalToken: string;
}

function memberStarts(parts: Parts) {
  const { options, postgres, nats, folder, controls, workers, lines, internalToken } = parts;
  const { program, onLine, slots } = options;
  const urls: string[] = [];
  const workerUrls: string[] = [];
  let started = 0;
  const common = (name: string) => ({
    name,
    natsUrl: nats.url,
    ...(program === undefined ? {} : { program }),
    ...(onLine === undefined ? {} : { onLine: (line: string) => onLine(name, line) }),
  });
  const environment = controlEnvironment(parts);
  const controlLife = async (port: number, own?: ControlLines): Promise<Member> => {
    const member = await startControlMember({
      ...common(`control-${controls.length + 1}`),
      databaseUrl: own?.databaseUrl ?? postgres.url,
      port: own?.port ?? port,
      environment: {
        ...(await environment),
        ...(own === undefined ? {} : { NOETL_PUBLIC_URL: own.publicUrl }),
      },
    });
    controls.push(member);
    return member;
  };
  const control = async (port = 0): Promise<Member> => {
    const own = options.hasLines === true ? await controlLines(postgres, port) : undefined;
    if (own !== undefined) lines.push(own);
    const member = await controlLife(port, own);
    urls.push(member.url ?? "");
    workerUrls.push(own?.publicUrl ?? member.url ?? "");
    return member;
  };
  const controlAgain = (place: number): Promise<Member> =>
    controlLife(Number(new URL(urls[place] ?? "").port), lines[place]);
  const worker = async (): Promise<Member> => {
    started += 1;
    const member = await startWorkerMember({
      ...common(`worker-${started}`),
      serverUrls: workerUrls,
      slots,
      spoolDirectory: join(folder, "spool"),
      environment: { NOETL_INTERNAL_API_TOKEN: internalToken, ...options.workerEnvironment },
    });
    workers.push(member);
    return member;
  };
  return { start: { control, controlAgain, worker }, urls };
}

async function controlEnvironment({ options, postgres, folder, internalToken }: Parts) {
  const { credential, controlEnvironment: own, access = "local" } = options;
  const given = { NOETL_ACCESS: access, NOETL_INTERNAL_API_TOKEN: internalToken, ...own };
  if (credential === undefined) return given;
  const file = await credentialFile(postgres, folder, credential);
  return { ...given, NOETL_CREDENTIALS_FILE: file };
}

async function credentialFile(
  postgres: ScratchPostgres,
  folder: string,
  alias: string,
): Promise<string> {
  const sql = openPostgres(postgres.url, { connections: 1 });
  await sql.query(`create database ${alias}`);
  await sql.close();
  const { host, port, user } = postgres;
  const data = { host, port, user, database: alias, password: "" };
  const file = join(folder, "credentials.json");
  await writeFile(file, JSON.stringify({ [alias]: { type: "postgres", data } }));
  return file;
}
