// Commands that are a process of the platform, and whether one is well.

import type { Command } from "./command.ts";

export const serverCommands: readonly Command[] = [
  {
    name: "dev",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "run the platform here: API, worker and database in one process",
    flags: {
      port: {
        kind: "text",
        value: "PORT",
        about: "the port to listen on, or the next free one (8082)",
      },
      host: { kind: "text", value: "ADDRESS", about: "the address to listen on (127.0.0.1)" },
      slots: { kind: "text", value: "N", about: "commands that run at the same time (64)" },
      reset: { kind: "switch", about: "start over: forget the log, the catalog and pg_local" },
    },
    run: async (args) => (await import("#cli/dev")).dev(args),
  },
  {
    name: "control",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "run a control plane over the PostgreSQL database that DATABASE_URL names",
    flags: {
      host: { kind: "text", value: "ADDRESS", about: "the address to listen on (127.0.0.1)" },
      port: { kind: "text", value: "PORT", about: "the port to listen on (8082); 0 for any" },
      role: {
        kind: "list",
        value: "ROLE",
        about: "only this: api, publisher, projector, scheduler or sweeper; may be repeated",
      },
    },
    run: async (args) => (await import("#cli/control")).control(args),
  },
  {
    name: "worker",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "run a worker for a control plane",
    flags: {
      server: { kind: "text", value: "URL", about: "the control plane; several with commas" },
      pool: { kind: "list", value: "POOL", about: "whose commands it runs (default); repeated" },
      label: { kind: "list", value: "LABEL", about: "what it can do that others can't; repeated" },
      slots: { kind: "text", value: "N", about: "commands that run at the same time (64)" },
      processes: { kind: "text", value: "N", about: "worker processes, watched by a parent (1)" },
      "allow-shell": { kind: "switch", about: "steps may run shell commands here" },
    },
    run: async (args) => (await import("#cli/worker")).worker(args),
  },
  {
    name: "health",
    operands: "[URL…]",
    operandsMin: 0,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "whether the control plane or worker of this machine is well: exit code 0 or 1",
    flags: {},
    run: async (args) => (await import("#cli/health")).health(args),
  },
];
