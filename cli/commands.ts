// Every sub-command, in the order of the overview. Nothing of a command is loaded before it is
// asked for, so that none pays for another.

import { catalogCommands } from "#cli/commands/catalog";
import type { Command } from "#cli/commands/command";
import { contextCommands } from "#cli/commands/context";
import { executionCommands } from "#cli/commands/executions";
import { houseCommands } from "#cli/commands/house";
import { keepingCommands } from "#cli/commands/keeping";
import { olderCommands } from "#cli/commands/older";
import { peopleCommands } from "#cli/commands/people";
import { platformCommands } from "#cli/commands/platform";
import { runCommands } from "#cli/commands/run";
import { scheduleCommands } from "#cli/commands/schedules";
import { secretCommands } from "#cli/commands/secrets";
import { serverCommands } from "#cli/commands/server";

/** As a newcomer meets them; those that are not here follow, group by group. */
const order: readonly string[] = [
  "run",
  "dev",
  "context",
  "whoami",
  "validate",
  "migrate",
  "test",
  "init",
  "doctor",
  "config",
  "register",
  "catalog",
  "list",
  "status",
  "logs",
  "events",
  "why",
  "cancel",
  "rerun",
  "finalize",
  "cleanup",
  "signal",
  "waits",
  "approvals",
  "schedule",
  "credential",
  "keychain",
  "token",
  "user",
  "admin",
  "audit",
  "rule",
  "dead-letter",
  "workers",
  "replicas",
  "search",
  "query",
  "verify",
  "replay",
  "rebuild",
  "backup",
  "restore",
  "import",
  "control",
  "worker",
  "health",
  "completion",
];

export const commands: readonly Command[] = [
  ...runCommands,
  ...serverCommands,
  ...houseCommands,
  ...contextCommands,
  ...catalogCommands,
  ...executionCommands,
  ...platformCommands,
  ...peopleCommands,
  ...secretCommands,
  ...scheduleCommands,
  ...keepingCommands,
  ...olderCommands,
].sort((a, b) => placeOf(a) - placeOf(b));

function placeOf({ name }: Command): number {
  const place = order.indexOf(name);
  return place < 0 ? order.length : place;
}
