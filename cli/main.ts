#!/usr/bin/env bun
// The `noetl` command: finds the sub-command, reads its arguments, and turns what goes wrong into
// one line and an exit code.

import { Fault, messageOf } from "#core/model/fault";
import { javascriptChildArgument } from "#worker/tools/javascript-process";
import { snowflakeChildArgument } from "#worker/tools/snowflake-process";
import { parseArguments, UsageError } from "./arguments.ts";
import { type Called, calledCommand } from "./called.ts";
import { commands } from "./commands.ts";
import { exitFailed, exitNotAllowed, exitOk, exitUsage } from "./exit-codes.ts";
import { commandHelp, overview } from "./help.ts";
import { prepareDatabaseArgument } from "./hidden-arguments.ts";
import { plainLines } from "./terminal-text.ts";
import { version } from "./version.ts";

/**
 * Runs the command line without the program's own name.
 * @returns the exit code: 0 done, 1 not done, 2 a command line or playbook not as expected, 4 not
 *   signed in or not allowed, 130 cancelled.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [name = "help", ...rest] = argv;
  try {
    return await dispatch(name, rest);
  } catch (thrown) {
    return ended(thrown, argv);
  }
}

/** Tells what went wrong, on standard error and with `--json` as a document too. */
function ended(thrown: unknown, argv: readonly string[]): number {
  if (!(thrown instanceof UsageError || thrown instanceof Fault)) throw thrown;
  const code = thrown instanceof Fault ? thrown.code : "invalid";
  const message = plainLines(messageOf(thrown));
  console.error(`noetl: ${message}${thrown instanceof Fault ? advice(thrown) : ""}`);
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  if (flags.includes("--json") || flags.includes("-j")) {
    console.log(JSON.stringify({ error: { code, message } }));
  }
  if (thrown instanceof UsageError) return exitUsage;
  return code === "unauthenticated" || code === "forbidden" ? exitNotAllowed : exitFailed;
}

/** What to do next, where that is not said by what is wrong. */
function advice({ code }: Fault): string {
  switch (code) {
    case "unauthenticated":
      return "\nsign in with: noetl context add NAME --server-url URL --token-stdin, or NOETL_TOKEN";
    case "unavailable":
      return "\nnoetl doctor looks at this machine, noetl health URL at a control plane";
    default:
      return "";
  }
}

async function dispatch(name: string, rest: readonly string[]): Promise<number> {
  if (name === "version" || name === "--version" || name === "-V") {
    console.log(version);
    return exitOk;
  }
  if (name === javascriptChildArgument) return serveSandbox();
  if (name === snowflakeChildArgument) return serveSnowflakeClient();
  if (name === prepareDatabaseArgument) return prepareDatabase();
  if (name === "help" || name === "--help" || name === "-h") return help(rest);
  const called = calledCommand(commands, name, rest);
  const { command, path, argv } = called;
  if (argv.includes("--help") || argv.includes("-h")) return help(path);
  if (command.run === undefined) throw missingSub(called);
  return command.run(argumentsOf(called), command);
}

function missingSub({ command: { sub = [] }, path }: Called): UsageError {
  const names = sub.map(({ name }) => name).join(", ");
  const own = path.join(" ");
  return new UsageError(`expected noetl ${own} and one of ${names}   (noetl help ${own})`);
}

function argumentsOf({ command, path, argv }: Called) {
  try {
    return parseArguments(command, argv);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    const own = path.join(" ");
    const usage = `usage: noetl ${own} ${command.operands}`.trimEnd();
    throw new UsageError(`${thrown.message}\n${usage}   (noetl help ${own})`);
  }
}

/** The compiled binary as the process of one sandbox. */
async function serveSandbox(): Promise<number> {
  const { serveJavascript } = await import("#worker/tools/javascript-child");
  await serveJavascript();
  return exitOk;
}

/** The compiled binary as a process that speaks to Snowflake. */
async function serveSnowflakeClient(): Promise<number> {
  const { serveSnowflake } = await import("#worker/tools/snowflake-child");
  await serveSnowflake();
  return exitOk;
}

/** The compiled binary as the process that makes the prepared database, and ends. */
async function prepareDatabase(): Promise<number> {
  const { prepareHere } = await import("./prepared-database.ts");
  await prepareHere();
  return exitOk;
}

function help([name, ...rest]: readonly string[]): number {
  if (name === undefined) console.log(overview(commands));
  else {
    const { command, path } = calledCommand(commands, name, rest);
    console.log(commandHelp(command, path));
  }
  return exitOk;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
