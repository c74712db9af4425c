// Which driver reaches a database: as it was asked for, else as its host suggests.

import { unreachable } from "#core/model/fault";
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

/** Opens the database; nothing is connected before the first statement. */
export function openDatabase(url: string, driver: DatabaseDriver = driverFor(url)): Sql {
  switch (driver) {
    case "postgres":
      return openPostgres(url);
    case "neon-http":
      return openNeonHttp(url);
    case "neon-websocket":
      return openNeonSocket(url);
    default:
      return unreachable(driver);
  }
}
