// Every sub-command, in the order of the overview. Nothing of a command is loaded before it is
// asked for, so that none pays for another.

import { catalogCommands } from "#cli/commands/catalog";
import type { Command } from "#cli/commands/command";
import { executionCommands } from "#cli/commands/executions";
import { houseCommands } from "#cli/commands/house";
import { platformCommands } from "#cli/commands/platform";
import { runCommands } from "#cli/commands/run";
import { serverCommands } from "#cli/commands/server";

/** As a newcomer meets them; those that are not here follow, group by group. */
const order: readonly string[] = [
  "run",
  "dev",
  "control",
  "worker",
  "health",
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
  "verify",
  "replay",
  "rebuild",
  "workers",
  "replicas",
  "events",
  "logs",
  "why",
  "rule",
  "dead-letter",
  "cancel",
];

export const commands: readonly Command[] = [
  ...runCommands,
  ...serverCommands,
  ...houseCommands,
  ...catalogCommands,
  ...executionCommands,
  ...platformCommands,
].sort((a, b) => placeOf(a) - placeOf(b));

function placeOf({ name }: Command): number {
  const place = order.indexOf(name);
  return place < 0 ? order.length : place;
}
