// The help texts, made from the table of commands.

import type { Command } from "./commands.ts";

export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, about }) => [name, about] as const);
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

export function commandHelp(command: Command): string {
  const { name, also = [], operands, about, flags } = command;
  const rows = Object.entries(flags).map(([long, flag]) => {
    const names = [
      ...(flag.short === undefined ? [] : [`-${flag.short}`]),
      ...[long, ...(flag.also ?? [])].map((each) => `--${each}`),
    ];
    const value = flag.kind === "switch" ? "" : ` ${flag.value ?? "VALUE"}`;
    const again = flag.kind === "list" ? ", any number of times" : "";
    return [`${names.join(", ")}${value}`, `${flag.about}${again}`] as const;
  });
  return [
    `noetl ${name}: ${about}`,
    "",
    `usage: noetl ${name} ${operands}${rows.length === 0 ? "" : " [flags]"}`.replaceAll("  ", " "),
    ...(also.length === 0 ? [] : [`also:  noetl ${also.join(", noetl ")}`]),
    ...(rows.length === 0 ? [] : ["", ...aligned(rows)]),
  ].join("\n");
}

function aligned(rows: readonly (readonly [left: string, right: string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
