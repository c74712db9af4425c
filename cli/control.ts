// `noetl control`: one control plane over a PostgreSQL database, until it is told to stop.

import { controlSettings } from "#control/config";
import { startControlProcess } from "#control/main";
import { stopAsked } from "#core/adapters/stop-signals";
import { type Arguments, UsageError } from "./arguments.ts";
import { configuredFor } from "./config.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { version } from "./version.ts";

/**
 * Runs until SIGINT or SIGTERM; the second one quits at once.
 * @throws UsageError without a database.
 */
export async function control(args: Arguments): Promise<number> {
  const settings = configuredFor(controlSettings, environmentOf(args));
  const { DATABASE_URL: databaseUrl } = settings;
  if (databaseUrl === undefined) {
    throw new UsageError(
      "DATABASE_URL: expected the address of a PostgreSQL database, found nothing",
    );
  }
  const asked = stopAsked();
  const report = (message: string): void => console.error(`noetl: ${message}`);
  const running = await startControlProcess({ databaseUrl, settings, version, report });
  console.log(`noetl control ${version} at ${running.url}`);
  const reason = await Promise.race([asked, running.broken]);
  if (reason !== undefined) report(`${reason}; ending`);
  await running.stop();
  return reason === undefined ? exitOk : exitFailed;
}

/** Flags win over the environment. */
function environmentOf(args: Arguments): Record<string, string | undefined> {
  const roles = args.list("role").join(",");
  const given = {
    NOETL_HOST: args.text("host"),
    NOETL_PORT: args.text("port"),
    NOETL_ROLES: roles === "" ? undefined : roles,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...process.env, ...Object.fromEntries(set) };
}
