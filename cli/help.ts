// The help texts, made from the table of commands.

import type { Command } from "#cli/commands/command";
import type { Flag } from "./arguments.ts";

export function overview(commands: readonly Command[]): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const rows = shown.map(({ name, about }) => [name, about] as const);
  return [
    "noetl: run and look after playbooks",
    "",
    "usage: noetl COMMAND [flags]",
    "",
    ...aligned([...rows, ["version", "the version"], ["help", "this text, or that of a command"]]),
    "",
    "noetl help COMMAND tells more about one.",
  ].join("\n");
}

/** @param path the names that it is called by, `["context", "add"]`. */
export function commandHelp(command: Command, path: readonly string[] = [command.name]): string {
  const { also = [], about, flags, sub = [] } = command;
  const own = path.join(" ");
  const others = also.map((other) => ["noetl", ...path.slice(0, -1), other].join(" "));
  const all = Object.entries(flags);
  const rows = all.filter(([, { group }]) => group === undefined).map(flagRow);
  const server = all.filter(([, { group }]) => group === "server").map(serverFlagText);
  const below = sub.map((each) => [`${each.name} ${each.operands}`.trimEnd(), each.about] as const);
  return [
    `noetl ${own}: ${about}`,
    "",
    usage(command, own),
    ...(others.length === 0 ? [] : [`also:  ${others.join(", ")}`]),
    ...(rows.length === 0 ? [] : ["", ...aligned(rows)]),
    ...(server.length === 0 ? [] : ["", `which control plane: ${server.join(" ")}`]),
    ...(below.length === 0
      ? []
      : ["", ...aligned(below), "", `noetl help ${own} COMMAND tells more about one.`]),
  ].join("\n");
}

function usage({ operands, flags, run }: Command, own: string): string {
  if (run === undefined) return `usage: noetl ${own} COMMAND [flags]`;
  const withFlags = Object.keys(flags).length === 0 ? "" : " [flags]";
  return `usage: noetl ${own} ${operands}${withFlags}`.replaceAll("  ", " ");
}

function serverFlagText([long, { value }]: readonly [string, Flag]): string {
  return `--${long} ${value ?? ""}`.trimEnd();
}

function flagRow([long, flag]: readonly [string, Flag]): readonly [string, string] {
  const names = [
    ...(flag.short === undefined ? [] : [`-${flag.short}`]),
    ...[long, ...(flag.also ?? [])].map((each) => `--${each}`),
  ];
  const value = flag.kind === "switch" ? "" : ` ${flag.value ?? "VALUE"}`;
  const again = flag.kind === "list" ? ", any number of times" : "";
  return [`${names.join(", ")}${value}`, `${flag.about}${again}`];
}

function aligned(rows: readonly (readonly [left: string, right: string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
