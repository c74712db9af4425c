// The wires of a cluster whose network may fail: each control plane has one towards its workers and
// one towards its database, and either may be cut while the process lives on.

import { type CutProxy, cutProxy } from "./cut-proxy.ts";
import { freePort } from "./free-port.ts";
import type { ScratchPostgres } from "./scratch-postgres.ts";

export interface ControlLines {
  /** Between the control plane and everybody who was told its public address: the workers. */
  readonly workers: CutProxy;
  readonly database: CutProxy;
  /** Where the control plane itself listens, in every life of it. */
  readonly port: number;
  readonly publicUrl: string;
  readonly databaseUrl: string;
}

/** @param given Where the control plane is to listen; any free port without it. */
export async function controlLines(
  { host, port, user, database }: ScratchPostgres,
  given: number,
): Promise<ControlLines> {
  const own = given === 0 ? await freePort() : given;
  const [workers, line] = await Promise.all([
    cutProxy({ host: "127.0.0.1", port: own }),
    cutProxy({ host, port }),
  ]);
  return {
    workers,
    database: line,
    port: own,
    publicUrl: `http://127.0.0.1:${workers.port}`,
    databaseUrl: `postgres://${user}@127.0.0.1:${line.port}/${database}`,
  };
}

export async function closeLines({ workers, database }: ControlLines): Promise<void> {
  await Promise.all([workers.close(), database.close()]);
}
