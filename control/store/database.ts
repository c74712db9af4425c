// Which driver reaches a database: as it was asked for, else as its host suggests.

import { Fault, unreachable } from "#core/model/fault";
import { openNeonHttp } from "./neon-http.ts";
import { openNeonSocket } from "./neon-socket.ts";
import { openPostgres } from "./postgres.ts";
import type { Sql } from "./sql.ts";

export type DatabaseDriver = "postgres" | "neon-http" | "neon-websocket";

/** Neon's hosts speak WebSocket on the port that every network lets through; others don't. */
export function driverFor(url: string): DatabaseDriver {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  return host.endsWith(".neon.tech") ? "neon-websocket" : "postgres";
}

export interface DatabaseOptions {
  /** Without it, as the host suggests. */
  readonly driver?: DatabaseDriver | undefined;
  /** Certificates in PEM that the server's is checked against. */
  readonly ca?: string | undefined;
}

/**
 * Opens the database; nothing is connected before the first statement.
 * @throws Fault `invalid` for certificates that the driver has no use for.
 */
export function openDatabase(url: string, options: DatabaseOptions = {}): Sql {
  const { driver = driverFor(url), ca } = options;
  if (ca !== undefined && driver !== "postgres") {
    throw new Fault("invalid", `DATABASE_CA_FILE: expected the driver postgres, found ${driver}`);
  }
  switch (driver) {
    case "postgres":
      return openPostgres(url, ca === undefined ? {} : { ca });
    case "neon-http":
      return openNeonHttp(url);
    case "neon-websocket":
      return openNeonSocket(url);
    default:
      return unreachable(driver);
  }
}
