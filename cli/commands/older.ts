// Older spellings of commands, for scripts that have them: the help doesn't list them.

import { catalogCommands } from "./catalog.ts";
import type { Command } from "./command.ts";
import { executionCommands } from "./executions.ts";
import { group } from "./leaf.ts";
import { runCommands } from "./run.ts";
import { secretCommands } from "./secrets.ts";

/** The command of this path, which must be there. */
function commandAt(among: readonly Command[], ...path: readonly string[]): Command {
  const [name, ...rest] = path;
  const found = among.find((command) => command.name === name);
  if (found === undefined) throw new Error(`expected a command ${name}`);
  return rest.length === 0 ? found : commandAt(found.sub ?? [], ...rest);
}

export const olderCommands: readonly Command[] = [
  {
    ...group("execute", "run, status and rerun, as they were called", [
      { ...commandAt(runCommands, "run"), name: "playbook", also: [] },
      commandAt(executionCommands, "status"),
      commandAt(executionCommands, "rerun"),
    ]),
    hidden: true,
  },
  {
    ...group("get", "catalog get and credential get, as they were called", [
      { ...commandAt(secretCommands, "credential", "get"), name: "credential" },
      { ...commandAt(catalogCommands, "catalog", "get"), name: "playbook" },
    ]),
    hidden: true,
  },
];
