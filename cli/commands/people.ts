// Commands on who one is, tokens and the people of a tenant.

import { roles } from "#core/model/access";
import type { Command } from "./command.ts";
import { group, leaf, remote, switchFlag, valueFlag } from "./leaf.ts";

const load = () => import("#cli/people-commands");
const role = valueFlag("ROLE", "viewer, operator, editor or admin", { among: roles });
const tenant = valueFlag("NAME", "for who runs the installation: of this tenant");
const user = valueFlag("USER", "for administrators: of this person");
const limit = valueFlag("N", "at most so many");

export const peopleCommands: readonly Command[] = [
  remote("whoami", { about: "who you are to the control plane" }, async (args) =>
    (await load()).whoami(args),
  ),
  group("token", "the tokens by which you are known", [
    remote(
      "create NAME",
      {
        about: "make one, which is printed this once",
        flags: { role, expires: valueFlag("TIME", "how long it is good: 12h, 90d (90d)"), user },
      },
      async (args) => (await load()).createToken(args),
    ),
    remote("list", { about: "yours, newest first", flags: { user, limit } }, async (args) =>
      (await load()).listTokens(args),
    ),
    remote("revoke TOKEN", { about: "refuse one from now on" }, async (args) =>
      (await load()).revokeToken(args),
    ),
  ]),
  group("user", "the people of a tenant", [
    remote(
      "list",
      { about: "all of them", flags: { tenant, limit, after: valueFlag("USER", "go on after") } },
      async (args) => (await load()).listUsers(args),
    ),
    remote(
      "add EMAIL",
      {
        about: "make somebody a member",
        flags: { role, name: valueFlag("NAME", "what they are called"), tenant },
      },
      async (args) => (await load()).addUser(args),
    ),
    remote(
      "role USER ROLE",
      { about: "give somebody another role", flags: { tenant } },
      async (args) => (await load()).setRole(args),
    ),
    remote(
      "remove USER",
      {
        about: "take somebody out of the tenant",
        flags: { tenant, everywhere: switchFlag("the person, with all of their tokens") },
      },
      async (args) => (await load()).removeUser(args),
    ),
  ]),
  group("admin", "who runs an installation", [
    leaf(
      "create",
      {
        about: "make the first administrator, right in the database",
        flags: {
          email: valueFlag("EMAIL", "whose token it is"),
          name: valueFlag("NAME", "what they are called"),
          tenant: valueFlag("NAME", "an administrator of this tenant alone"),
          force: switchFlag("although there is one already"),
          json: switchFlag("one JSON document on standard output"),
        },
      },
      async (args) => (await import("#cli/admin-command")).createAdmin(args),
    ),
  ]),
];
