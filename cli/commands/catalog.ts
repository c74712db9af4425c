// Commands on the catalog of a server.

import type { Command } from "./command.ts";
import { jsonFlag as json, serverFlag as server } from "./flags.ts";

export const catalogCommands: readonly Command[] = [
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
    run: async (args) => (await import("#cli/catalog-commands")).register(args),
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
    run: async (args) => (await import("#cli/catalog-commands")).catalog(args),
  },
];
