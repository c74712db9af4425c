// A real PostgreSQL server in a folder of its own on a free port: for the distributed shape on one
// machine, for measurements and for tests. It may be killed and started again over the same data.

import { chmod, chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { postgresBin } from "./system-packages.ts";

export interface ScratchPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly url: string;
  /** The process whose death takes the server down. */
  pid(): Promise<number>;
  /** SIGKILL of the server, whose other processes end by themselves. */
  kill(): Promise<void>;
  /** Starts it again over what it had stored. */
  restart(): Promise<void>;
  /** Stops it and removes all that it had. */
  stop(): Promise<void>;
}

export interface ScratchPostgresOptions {
  /** `name=value`, over the server's own defaults. */
  readonly settings?: readonly string[];
  /** Where its folder is made; the system's temporary folder without it. */
  readonly parent?: string;
}

/** What someone reads who needs the server and cannot have one. */
export const postgresMissing =
  "PostgreSQL's programs are not installed; install them with: apt-get install -y postgresql";

const serverUser = "postgres";
const always = ["listen_addresses=127.0.0.1", "max_connections=100"];

/** Starts a server that trusts every local connection. @throws Error where there is no server. */
export async function scratchPostgres(
  options: ScratchPostgresOptions = {},
): Promise<ScratchPostgres> {
  const programs = postgresBin();
  if (programs === undefined) throw new Error(postgresMissing);
  if (options.parent !== undefined) await mkdir(options.parent, { recursive: true });
  const folder = await mkdtemp(join(options.parent ?? tmpdir(), "noetl-postgres-"));
  const data = join(folder, "data");
  const port = await freePort();
  const server = [...always, ...(options.settings ?? []), `unix_socket_directories=${folder}`];
  const flags = server.map((setting) => `-c '${setting}'`).join(" ");
  const start = (): Promise<void> =>
    run(programs, [
      ...["pg_ctl", "-D", data, "-w", "-t", "60", "-l", join(folder, "log")],
      ...["-o", `-p ${port} ${flags}`, "start"],
    ]);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await giveToServerUser(folder);
    await run(programs, [
      ...["initdb", "-D", data, "-U", serverUser],
      ...["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
    ]);
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  const pid = async (): Promise<number> =>
    Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[0]);
  return {
    host: "127.0.0.1",
    port,
    user: serverUser,
    database: "postgres",
    url: `postgres://${serverUser}@127.0.0.1:${port}/postgres`,
    pid,
    kill: async () => killed(await pid()),
    restart: start,
    stop: async () => {
      await run(programs, ["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"]).catch(() => {});
      await remove();
    },
  };
}

/** Sends SIGKILL and waits until the process is gone. */
async function killed(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  while (isAlive(pid)) await Bun.sleep(5);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The server refuses to run as root, so that root must hand the folder to another user. */
async function giveToServerUser(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  if (!isRoot()) return;
  const ids = await Promise.all(["-u", "-g"].map((flag) => text(["id", flag, serverUser])));
  await chown(folder, Number(ids[0]), Number(ids[1]));
}

async function text(command: readonly string[]): Promise<string> {
  return (await new Response(Bun.spawn([...command]).stdout).text()).trim();
}

async function run(programs: string, [program = "", ...rest]: readonly string[]): Promise<void> {
  const command = [join(programs, program), ...rest];
  const asUser = isRoot() ? ["setpriv", ...userFlags(), ...command] : command;
  // No pipes: the server would inherit them, and reading to their end would wait for it.
  const child = Bun.spawn(asUser, { cwd: tmpdir(), stdout: "ignore", stderr: "ignore" });
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Error(`${program} exited with code ${exitCode}`);
}

function userFlags(): readonly string[] {
  return [`--reuid=${serverUser}`, `--regid=${serverUser}`, "--clear-groups"];
}
