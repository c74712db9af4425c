// Every sub-command: how it is called, and where it is. Nothing of a command is loaded before it
// is asked for, so that none pays for another.

import type { Arguments, CommandSyntax, Flag } from "./arguments.ts";

export interface Command extends CommandSyntax {
  readonly about: string;
  /** Other names for the command. */
  readonly also?: readonly string[];
  /** Runs it and gives the exit code. */
  readonly run: (args: Arguments, command: CommandSyntax) => Promise<number>;
}

const server: Flag = {
  kind: "text",
  value: "URL",
  about: "the control plane; without it NOETL_SERVER_URL, or the running `noetl dev`",
};
const json: Flag = { kind: "switch", about: "one JSON document on standard output" };

export const commands: readonly Command[] = [
  {
    name: "run",
    also: ["exec"],
    operands: "FILE|PATH",
    operandsMin: 1,
    operandsMax: 1,
    about: "run a playbook: a file in this process, a catalog path on a server",
    flags: {
      set: {
        kind: "list",
        value: "KEY=VALUE",
        about: "one value of the input; a.b=1 for maps in maps",
      },
      payload: {
        kind: "text",
        value: "JSON",
        also: ["workload"],
        about: "the input as a JSON map",
      },
      input: {
        kind: "text",
        short: "i",
        value: "FILE",
        about: "the input from a YAML or JSON file",
      },
      target: { kind: "text", short: "t", value: "STEP", about: "start at this step" },
      verbose: { kind: "switch", short: "v", about: "show what tools print" },
      json,
      server,
    },
    run: async (args) => (await import("./run.ts")).run(args),
  },
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
    run: async (args) => (await import("./dev.ts")).dev(args),
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
    run: async (args) => (await import("./control.ts")).control(args),
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
    run: async (args) => (await import("./worker.ts")).worker(args),
  },
  {
    name: "health",
    operands: "[URL…]",
    operandsMin: 0,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "whether the control plane or worker of this machine is well: exit code 0 or 1",
    flags: {},
    run: async (args) => (await import("./health.ts")).health(args),
  },
  {
    name: "validate",
    operands: "FILE…",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "check playbooks and say everything that is wrong with them",
    flags: { json },
    run: async ({ operands, has }) => {
      const { validate } = await import("./validate.ts");
      return validate([...operands, ...(has("json") ? ["--json"] : [])]);
    },
  },
  {
    name: "init",
    operands: "[FILE]",
    operandsMin: 0,
    operandsMax: 1,
    about: "write a first playbook (playbook.yaml)",
    flags: { force: { kind: "switch", short: "f", about: "overwrite a file that is there" } },
    run: async ({ operands, has }) => {
      const { initPlaybook } = await import("./init-playbook.ts");
      return initPlaybook(operands[0] ?? "playbook.yaml", has("force"));
    },
  },
  {
    name: "doctor",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "look at this machine and say what is missing",
    flags: { json },
    run: async (args) => (await import("./doctor.ts")).doctor({ json: args.has("json") }),
  },
  {
    name: "config",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "the effective settings and where they come from",
    flags: { json },
    run: async (args) => (await import("./config-command.ts")).config(args),
  },
  {
    name: "register",
    operands: "[playbook] FILE… | -d DIR",
    operandsMin: 0,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "put playbooks into the catalog",
    flags: {
      file: { kind: "list", short: "f", value: "FILE", about: "a playbook" },
      directory: { kind: "list", short: "d", value: "DIR", about: "every *.yaml in a folder" },
      server,
    },
    run: async (args) => (await import("./catalog-commands.ts")).register(args),
  },
  {
    name: "catalog",
    operands: "list | get PATH | register FILE…",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "look into the catalog",
    flags: {
      version: { kind: "text", value: "N", about: "get: this version instead of the newest" },
      file: { kind: "list", short: "f", value: "FILE", about: "register: a playbook" },
      directory: { kind: "list", short: "d", value: "DIR", about: "register: a folder" },
      json,
      server,
    },
    run: async (args) => (await import("./catalog-commands.ts")).catalog(args),
  },
  {
    name: "list",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "executions, newest first",
    flags: {
      status: { kind: "text", value: "STATUS", about: "running, completed, failed or cancelled" },
      path: { kind: "text", value: "PATH", about: "of this playbook" },
      limit: { kind: "text", value: "N", about: "at most so many (20)" },
      json,
      server,
    },
    run: async (args) => (await import("./execution-commands.ts")).list(args),
  },
  {
    name: "status",
    operands: "ID",
    operandsMin: 1,
    operandsMax: 1,
    about: "where an execution stands",
    flags: { json, server },
    run: async (args) => (await import("./execution-commands.ts")).status(args),
  },
  {
    name: "verify",
    operands: "FILE|ID… | --all",
    operandsMin: 0,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "prove that logs are whole: nothing changed, dropped or inserted",
    flags: {
      all: { kind: "switch", about: "every execution, with all that is kept beside its log" },
      after: { kind: "text", value: "ID", about: "all: go on after this execution" },
      json,
      server,
    },
    run: async (args) => (await import("./verify.ts")).verify(args),
  },
  {
    name: "replay",
    operands: "ID",
    operandsMin: 1,
    operandsMax: 1,
    about: "the state of an execution as of then, from its log",
    flags: {
      seq: { kind: "text", value: "N", about: "as of the event with this number" },
      at: { kind: "text", value: "TIME", about: "as of this time (2026-01-31T12:00:00Z)" },
      json,
      server,
    },
    run: async (args) => (await import("./replay.ts")).replay(args),
  },
  {
    name: "rebuild",
    operands: "ID… | --all",
    operandsMin: 0,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "make anew from the logs what is kept beside them",
    flags: {
      all: { kind: "switch", about: "every execution" },
      projections: { kind: "switch", about: "only drop projections and fold them again" },
      repair: { kind: "switch", about: "only put rows right that say otherwise than the log" },
      json,
      server,
    },
    run: async (args) => (await import("./rebuild.ts")).rebuild(args),
  },
  {
    name: "workers",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "which workers there are, and how busy they are",
    flags: {
      all: { kind: "switch", about: "also those that have been gone for less than a day" },
      json,
      server,
    },
    run: async (args) => (await import("./runtime-commands.ts")).workers(args),
  },
  {
    name: "replicas",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "which control planes there are over one database",
    flags: { json, server },
    run: async (args) => (await import("./runtime-commands.ts")).replicas(args),
  },
  {
    name: "events",
    operands: "ID",
    operandsMin: 1,
    operandsMax: 1,
    about: "the log of an execution",
    flags: { json, server },
    run: async (args) => (await import("./execution-commands.ts")).events(args),
  },
  {
    name: "logs",
    operands: "ID",
    operandsMin: 1,
    operandsMax: 1,
    about: "what the tools of an execution printed",
    flags: {
      step: { kind: "text", value: "STEP", about: "of this step" },
      stream: { kind: "text", value: "NAME", about: "only stdout, stderr or log" },
      follow: { kind: "switch", short: "f", about: "go on until the execution has ended" },
      json: { kind: "switch", about: "one JSON document a line" },
      server,
    },
    run: async (args) => (await import("./logs.ts")).logs(args),
  },
  {
    name: "why",
    operands: "ID [STEP]",
    operandsMin: 1,
    operandsMax: 2,
    about: "what holds an execution up",
    flags: { json, server },
    run: async (args) => (await import("./why.ts")).why(args),
  },
  {
    name: "rule",
    operands: "list | set KEY | delete KEY",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "how much may run of a playbook, pool, tenant or tool",
    flags: {
      max: { kind: "text", value: "N", about: "set: commands that may run at a time" },
      rate: { kind: "text", value: "R", about: "set: commands that may start in a second" },
      burst: { kind: "text", value: "B", about: "set: starts saved up while nothing started" },
      json,
      server,
    },
    run: async (args) => (await import("./rules.ts")).rule(args),
  },
  {
    name: "dead-letter",
    operands: "list | retry ID | drop ID",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "commands that were given up, and executions in quarantine",
    flags: { json, server },
    run: async (args) => (await import("./dead-letters.ts")).deadLetter(args),
  },
  {
    name: "cancel",
    operands: "ID",
    operandsMin: 1,
    operandsMax: 1,
    about: "cancel an execution and its sub-playbooks",
    flags: {
      reason: { kind: "text", short: "r", value: "TEXT", about: "why, for the log" },
      json,
      server,
    },
    run: async (args) => (await import("./execution-commands.ts")).cancel(args),
  },
];
