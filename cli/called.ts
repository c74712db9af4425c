// Finds the command that a command line calls, by its name and those of the commands below it. It
// refuses names that nobody has, and says what was probably meant.

import type { Command } from "#cli/commands/command";
import { didYouMean } from "#core/playbook/template/suggest";
import { UsageError } from "./arguments.ts";

/** A command by the names that it was called by, and what stands behind them. */
export interface Called {
  readonly command: Command;
  /** From the first name on: `["context", "add"]`. */
  readonly path: readonly string[];
  readonly argv: readonly string[];
}

/**
 * @param rest what stands behind the first name.
 * @throws UsageError for names that no command has.
 */
export function calledCommand(
  among: readonly Command[],
  name: string,
  rest: readonly string[],
): Called {
  let command = commandNamed(among, name);
  let path: readonly string[] = [command.name];
  let argv = rest;
  for (;;) {
    const [next] = argv;
    if (command.sub === undefined || next === undefined || next.startsWith("-")) break;
    // What has operands of its own takes whatever names none of its sub-commands.
    if (command.operandsMax > 0 && named(command.sub, next) === undefined) break;
    command = commandNamed(command.sub, next, path);
    path = [...path, command.name];
    argv = argv.slice(1);
  }
  return { command, path, argv };
}

function named(among: readonly Command[], name: string): Command | undefined {
  return among.find((each) => each.name === name || each.also?.includes(name) === true);
}

/** @throws UsageError for a name that none of them has. */
function commandNamed(
  among: readonly Command[],
  name: string,
  path: readonly string[] = [],
): Command {
  const command = named(among, name);
  if (command !== undefined) return command;
  const known = among.flatMap(({ name: own, also = [] }) => [own, ...also]);
  const hint = didYouMean(name, path.length === 0 ? [...known, "help", "version"] : known);
  const whole = [...path, name].join(" ");
  throw new UsageError(`unknown command ${whole}${hint}\nsee ${["noetl help", ...path].join(" ")}`);
}
