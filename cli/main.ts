#!/usr/bin/env bun
// The `noetl` command: finds the sub-command, reads its arguments, and turns what goes wrong into
// one line and an exit code.

import { Fault, messageOf } from "#core/model/fault";
import { didYouMean } from "#core/playbook/template/suggest";
import { javascriptChildArgument } from "#worker/tools/javascript-process";
import { parseArguments, UsageError } from "./arguments.ts";
import { type Command, commands } from "./commands.ts";
import { exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import { commandHelp, overview } from "./help.ts";
import { prepareDatabaseArgument } from "./hidden-arguments.ts";
import { version } from "./version.ts";

/**
 * Runs the command line without the program's own name.
 * @returns the exit code: 0 done, 1 not done, 2 a command line or playbook not as expected, 130
 *   cancelled.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [name = "help", ...rest] = argv;
  try {
    return await dispatch(name, rest);
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      console.error(`noetl: ${thrown.message}`);
      return exitUsage;
    }
    if (thrown instanceof Fault) {
      console.error(`noetl: ${messageOf(thrown)}`);
      return exitFailed;
    }
    throw thrown;
  }
}

async function dispatch(name: string, rest: readonly string[]): Promise<number> {
  if (name === "version" || name === "--version" || name === "-V") {
    console.log(version);
    return exitOk;
  }
  if (name === javascriptChildArgument) return serveSandbox();
  if (name === prepareDatabaseArgument) return prepareDatabase();
  if (name === "help" || name === "--help" || name === "-h") return help(rest[0]);
  const command = commandNamed(name);
  if (rest.includes("--help") || rest.includes("-h")) return help(command.name);
  return command.run(argumentsOf(command, rest), command);
}

function argumentsOf(command: Command, argv: readonly string[]) {
  try {
    return parseArguments(command, argv);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    const usage = `usage: noetl ${command.name} ${command.operands}`.trimEnd();
    throw new UsageError(`${thrown.message}\n${usage}   (noetl help ${command.name})`);
  }
}

/** The compiled binary as the process of one sandbox. */
async function serveSandbox(): Promise<number> {
  const { serveJavascript } = await import("#worker/tools/javascript-child");
  await serveJavascript();
  return exitOk;
}

/** The compiled binary as the process that makes the prepared database, and ends. */
async function prepareDatabase(): Promise<number> {
  const { prepareHere } = await import("./prepared-database.ts");
  await prepareHere();
  return exitOk;
}

function help(name: string | undefined): number {
  console.log(name === undefined ? overview(commands) : commandHelp(commandNamed(name)));
  return exitOk;
}

/** @throws UsageError for a name that no command has. */
function commandNamed(name: string): Command {
  for (const command of commands) {
    if (command.name === name || command.also?.includes(name) === true) return command;
  }
  const known = commands.flatMap(({ name: own, also = [] }) => [own, ...also]);
  const hint = didYouMean(name, [...known, "help", "version"]);
  throw new UsageError(`unknown command ${name}${hint}\nsee noetl help`);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
