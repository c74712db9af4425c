// Commands on what is kept sealed.

import type { Command } from "./command.ts";
import { group, remote, switchFlag, valueFlag } from "./leaf.ts";

const load = () => import("#cli/credential-commands");
const keychain = () => import("#cli/keychain-commands");

const place = {
  execution: valueFlag("ID", "of this execution"),
  scope: valueFlag("SCOPE", "local, shared or global", { among: ["local", "shared", "global"] }),
};

export const secretCommands: readonly Command[] = [
  group("credential", "what steps sign in with, sealed at rest", [
    remote(
      "add NAME",
      {
        about: "store one, or replace the one of that name",
        also: ["set"],
        flags: {
          type: valueFlag("TYPE", "what it is for: postgres, http_bearer, …", { short: "t" }),
          file: valueFlag("FILE", "its fields, or the whole of it, as YAML or JSON", {
            short: "f",
          }),
          stdin: switchFlag("the same from standard input"),
          field: {
            kind: "list",
            value: "NAME",
            about: "a field whose value is typed, or comes from standard input",
          },
          tag: { kind: "list", value: "TAG", about: "to find it by" },
          description: valueFlag("TEXT", "what it is for"),
        },
      },
      async (args) => (await load()).addCredential(args),
    ),
    remote(
      "list",
      {
        about: "all of them, without what is secret",
        flags: {
          type: valueFlag("TYPE", "of this type", { short: "t" }),
          query: valueFlag("TEXT", "with this in a name, description or tag", { short: "q" }),
          limit: valueFlag("N", "at most so many"),
          after: valueFlag("NAME", "go on after this one"),
        },
      },
      async (args) => (await load()).listCredentials(args),
    ),
    remote(
      "get NAME",
      {
        about: "one of them",
        flags: {
          "include-data": switchFlag("with what is secret; this is audited"),
          yes: switchFlag("don't ask before showing it", { short: "y" }),
        },
      },
      async (args) => (await load()).getCredential(args),
    ),
    remote("delete NAME", { about: "delete one" }, async (args) =>
      (await load()).deleteCredential(args),
    ),
    remote("rotate", { about: "seal anew what older master keys have sealed" }, async (args) =>
      (await load()).rotateCredentials(args),
    ),
    remote("keys", { about: "which master key seals, and what each has sealed" }, async (args) =>
      (await load()).credentialKeys(args),
    ),
  ]),
  group("keychain", "what is kept of the keychains of playbooks", [
    remote("list PLAYBOOK", { about: "of a path or catalog id" }, async (args) =>
      (await keychain()).listKeychain(args),
    ),
    remote(
      "get PLAYBOOK NAME",
      { about: "one entry, without its fields", flags: place },
      async (args) => (await keychain()).getKeychain(args),
    ),
    remote("delete PLAYBOOK NAME", { about: "have it fetched anew", flags: place }, async (args) =>
      (await keychain()).deleteKeychain(args),
    ),
  ]),
];
