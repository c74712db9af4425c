// A real PostgreSQL server for one test file: a fresh cluster in a temporary folder on a free
// port, without durability, gone when the file's tests are over.

import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ScratchPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** The newest server's programs on this machine; undefined where there is none. */
export function postgresPrograms(): string | undefined {
  const base = "/usr/lib/postgresql";
  const versions = existsSync(base) ? readdirSync(base) : [];
  return versions
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(base, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "pg_ctl")));
}

/** What a test that needs the server says when it cannot have one. */
export const postgresMissing =
  "PostgreSQL's programs are not installed; install them with: apt-get install -y postgresql";

const serverUser = "postgres";
/** What makes a throw-away server fast: nothing of it must survive anything. */
const settings = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "shared_buffers=32MB",
  "max_connections=60",
  "autovacuum=off",
  "listen_addresses=127.0.0.1",
];

/** Starts a server that trusts every local connection. */
export async function startPostgres(
  options: { readonly settings?: readonly string[] } = {},
): Promise<ScratchPostgres> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error(postgresMissing);
  const folder = await mkdtemp(join(tmpdir(), "noetl-postgres-"));
  await giveToServerUser(folder);
  const data = join(folder, "data");
  const port = await freePort();
  try {
    await run(programs, [
      ...["initdb", "-D", data, "-U", serverUser],
      ...["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
    ]);
    const server = [...settings, ...(options.settings ?? []), `unix_socket_directories=${folder}`];
    const flags = server.map((setting) => `-c '${setting}'`).join(" ");
    await run(programs, [
      ...["pg_ctl", "-D", data, "-w", "-t", "30", "-l", join(folder, "log")],
      ...["-o", `-p ${port} ${flags}`, "start"],
    ]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    host: "127.0.0.1",
    port,
    user: serverUser,
    database: "postgres",
    url: `postgres://${serverUser}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await run(programs, ["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"]);
      await rm(folder, { recursive: true, force: true });
    },
  };
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

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.on("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    server.close(() => resolve(port));
  });
  return promise;
}
