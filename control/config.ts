// The settings of the control plane as a process of its own.

import { type } from "arktype";
import { accessSettings } from "#control/access/settings";
import { exportSettings } from "#control/export/settings";
import { keychainSettings } from "#control/keychain/settings";
import { secretSettings } from "#control/secrets/settings";
import { waitSettings } from "#control/waits/settings";
import {
  address,
  durationMs,
  names,
  pairs,
  port,
  type Settings,
  type SettingValues,
  text,
} from "#core/model/settings";

const driver = type("'postgres' | 'neon-http' | 'neon-websocket'").describe(
  "postgres, neon-http or neon-websocket",
);

/** What one control plane may do; all of it unless it is told otherwise. */
export const controlRoles = [
  "api",
  "publisher",
  "projector",
  "scheduler",
  "sweeper",
  "exporter",
] as const;
export type ControlRole = (typeof controlRoles)[number];

const isRole = (name: string): name is ControlRole => controlRoles.some((role) => role === name);

const roles = names
  .narrow(
    (given, context) =>
      given.every(isRole) || context.mustBe(`some of ${controlRoles.join(", ")}, with commas`),
  )
  .pipe((given): readonly ControlRole[] => given.filter(isRole));

/** What stands around executions, in every shape of the product. */
export const platformSettings = {
  ...accessSettings,
  ...secretSettings,
  ...waitSettings,
  ...keychainSettings,
  ...exportSettings,
} as const satisfies Settings;

export const controlSettings = {
  DATABASE_URL: {
    shape: text,
    secret: true,
    text: "The PostgreSQL database that holds the log: `postgres://user:password@host:5432/name`.",
  },
  NOETL_DATABASE_DRIVER: {
    shape: driver,
    text: "How the database is reached; without it, what the host of `DATABASE_URL` suggests.",
  },
  DATABASE_CA_FILE: {
    shape: text,
    text:
      "Certificates in PEM that the database's is checked against, with its name; the line is then " +
      "encrypted. `sslmode=verify-ca` in `DATABASE_URL` leaves the name out; `sslmode=verify-full` " +
      "alone trusts the system's certificates.",
  },
  NATS_URL: {
    shape: text,
    secret: true,
    text: "NATS servers, with commas between them; `tls://` for an encrypted line. Without it, workers look for work once a second.",
  },
  NATS_CA_FILE: {
    shape: text,
    text: "Certificates in PEM that those of the NATS servers are checked against; the line is then encrypted.",
  },
  NOETL_HOST: { shape: text, default: "127.0.0.1", text: "The address to listen on." },
  NOETL_PORT: {
    shape: port,
    default: "8082",
    text: "The port to listen on; 0 for any free port.",
  },
  NOETL_PUBLIC_URL: {
    shape: address,
    text: "Where workers and other replicas reach this one, if not at its host and port.",
  },
  NOETL_ROLES: {
    shape: roles,
    default: controlRoles.join(","),
    text: "What this process does, with commas between them.",
  },
  NOETL_CREDENTIALS_FILE: {
    shape: text,
    text: "A YAML or JSON file that maps aliases to credentials: `alias: {type: postgres, data: {…}}`.",
  },
  NOETL_TOOL_POOLS: {
    shape: pairs,
    text: "Pools that kinds of tools go to: `python=cpu,duckdb=cpu`.",
  },
  NOETL_RETENTION_DAYS: {
    shape: type("string.integer.parse").to("1 <= number <= 36500").describe("days, 1 to 36500"),
    text: "Days after which ended executions may be removed; without it they stay.",
  },
  NOETL_STOP_GRACE_MS: {
    shape: durationMs,
    default: "10000",
    text: "How long requests under way may take when the process is asked to stop.",
  },
  ...platformSettings,
} as const satisfies Settings;

export type ControlSettings = SettingValues<typeof controlSettings>;
