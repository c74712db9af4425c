// Commands on the catalog of a server.

import type { Flag } from "#cli/arguments";
import type { Command } from "./command.ts";
import { remoteFlags } from "./flags.ts";
import { group, remote, switchFlag, valueFlag } from "./leaf.ts";

const load = () => import("#cli/catalog-commands");
const more = () => import("#cli/catalog-versions");

const files: Readonly<Record<string, Flag>> = {
  file: { kind: "list", short: "f", value: "FILE", about: "a file" },
  directory: { kind: "list", short: "d", value: "DIR", about: "every file in a folder" },
};

const register: Command = {
  name: "register",
  operands: "[playbook|credential] FILE… | -d DIR",
  operandsMin: 0,
  operandsMax: Number.POSITIVE_INFINITY,
  about: "put playbooks into the catalog, or credentials into the store",
  flags: { ...files, ...remoteFlags },
  run: async (args) => (await load()).register(args),
};

export const catalogCommands: readonly Command[] = [
  register,
  group("catalog", "what the catalog has", [
    remote(
      "list [TYPE]",
      {
        about: "the newest version of each path",
        flags: {
          path: valueFlag("PATH", "of this path"),
          prefix: valueFlag("TEXT", "of paths that begin so"),
          archived: switchFlag("also what was put away"),
          limit: valueFlag("N", "at most so many"),
          after: valueFlag("PATH", "go on after this one"),
        },
      },
      async (args) => (await load()).listCatalog(args, args.operands[0]),
    ),
    remote(
      "get PATH",
      {
        about: "the text of one",
        flags: { version: valueFlag("N", "this version instead of the newest") },
      },
      async (args) => (await load()).getResource(args),
    ),
    { ...register, operands: "FILE… | -d DIR" },
    remote(
      "versions PATH",
      {
        about: "the versions of a path, newest first",
        flags: {
          before: valueFlag("N", "older than this"),
          limit: valueFlag("N", "at most so many"),
        },
      },
      async (args) => (await more()).listVersions(args),
    ),
    remote(
      "diff PATH [FROM] [TO]",
      { about: "what has changed: between two versions, or in the newest one" },
      async (args) => (await more()).diff(args),
    ),
    remote(
      "search TEXT…",
      {
        about: "entries by words of their path, name, description, tags and labels",
        flags: {
          kind: valueFlag("KIND", "of this kind"),
          limit: valueFlag("N", "at most so many"),
          after: valueFlag("PATH", "go on after this one"),
        },
      },
      async (args) => (await more()).searchCatalog(args),
    ),
    remote(
      "delete PATH",
      {
        about: "put away a path: nothing is started from it any more",
        flags: { version: valueFlag("N", "this version alone") },
      },
      async (args) => (await more()).archive(args),
    ),
    remote(
      "restore PATH",
      { about: "bring it back", flags: { version: valueFlag("N", "this version alone") } },
      async (args) => (await more()).restore(args),
    ),
  ]),
];
