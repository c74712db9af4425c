// Commands by which an installation is kept: what was done in it, copies of it, and its databases.

import type { Command } from "./command.ts";
import { group, leaf, remote, switchFlag, valueFlag } from "./leaf.ts";

const audit = () => import("#cli/audit-commands");
const json = switchFlag("one JSON document on standard output", { short: "j" });

export const keepingCommands: readonly Command[] = [
  group("audit", "who did what", [
    remote(
      "list",
      {
        about: "newest first",
        flags: {
          actor: valueFlag("WHO", "by this one"),
          action: valueFlag("ACTION", "such as credential.read"),
          object: valueFlag("OBJECT", "such as credential/warehouse"),
          tenant: valueFlag("NAME", "for who runs the installation: of this tenant"),
          before: valueFlag("SEQ", "older than this one"),
          limit: valueFlag("N", "at most so many"),
        },
      },
      async (args) => (await audit()).listAudit(args),
    ),
    remote(
      "verify",
      {
        about: "whether its chain is whole",
        flags: { database: switchFlag("right in the database, without a server") },
      },
      async (args) => (await audit()).verifyAudit(args),
    ),
  ]),
  remote(
    "search TEXT…",
    {
      about: "ended executions that a description fits",
      flags: {
        status: valueFlag("STATUS", "completed, failed or cancelled", {
          among: ["completed", "failed", "cancelled"],
        }),
        path: valueFlag("PATH", "of this playbook"),
        limit: valueFlag("N", "at most so many"),
      },
    },
    async (args) => (await import("#cli/search")).search(args),
  ),
  remote(
    "query SQL",
    {
      about: "run one statement on a database",
      flags: {
        credential: valueFlag("NAME", "the database that this credential names"),
        schema: valueFlag("NAME", "where names are looked for", { short: "s" }),
        parameters: valueFlag("JSON", "a list of values for $1 and so on"),
        format: valueFlag("FORMAT", "table, json or csv (table)", {
          short: "f",
          among: ["table", "json", "csv"],
        }),
        tenant: valueFlag("NAME", "for who runs the installation: whose credential"),
      },
    },
    async (args) => (await import("#cli/query")).query(args),
  ),
  leaf(
    "backup FILE",
    {
      about: "copy the database into one file, while everything goes on",
      flags: {
        logs: switchFlag("with what tools have printed"),
        force: switchFlag("replace a file that is there"),
        json,
      },
    },
    async (args) => (await import("#cli/backup-commands")).backup(args),
  ),
  leaf(
    "restore FILE",
    {
      about: "put such a file into an empty database, and prove that it is whole",
      flags: {
        "pause-schedules": switchFlag("schedules come back switched off: for a second copy"),
        check: switchFlag("only read the file, and say whether it is whole"),
        json,
      },
    },
    async (args) => (await import("#cli/backup-commands")).restore(args),
  ),
  remote(
    "import",
    {
      about: "take over the catalog and the schedules of another NoETL server",
      flags: {
        from: valueFlag("URL", "the other server"),
        "token-stdin": switchFlag("read a token for it from standard input"),
        "dry-run": switchFlag("write nothing: only say what would come over"),
      },
    },
    async (args) => (await import("#cli/import-commands")).importFrom(args),
  ),
];
