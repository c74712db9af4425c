// Commands below commands: how they are found, refused and shown.

import { describe, expect, test } from "bun:test";
import { calledCommand } from "#cli/called";
import type { Command } from "#cli/commands/command";
import { commandHelp } from "#cli/help";

const leaf = (name: string, more: Partial<Command> = {}): Command => ({
  name,
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  about: `about ${name}`,
  flags: {},
  run: async () => 0,
  ...more,
});

const group: Command = {
  name: "context",
  also: ["ctx"],
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  about: "which control plane is meant",
  flags: {},
  sub: [
    leaf("add", {
      operands: "NAME",
      operandsMax: 1,
      flags: { json: { kind: "switch", about: "x" } },
    }),
    leaf("list", { also: ["ls"] }),
  ],
};
const mixed = leaf("catalog", { operands: "PATH", operandsMax: 1, sub: [leaf("prune")] });
const all = [group, mixed, leaf("status", { operands: "ID", operandsMax: 1 })];

const call = (name: string, ...rest: readonly string[]) => {
  const { command, path, argv } = calledCommand(all, name, rest);
  return { name: command.name, path: path.join(" "), argv };
};

describe("a command line", () => {
  test("calls a command below another by both names, or their other names", () => {
    expect(call("context", "add", "east", "--json")).toEqual({
      name: "add",
      path: "context add",
      argv: ["east", "--json"],
    });
    expect(call("ctx", "ls")).toEqual({ name: "list", path: "context list", argv: [] });
  });

  test("leaves operands alone where nothing is below the command", () => {
    expect(call("status", "add")).toEqual({ name: "status", path: "status", argv: ["add"] });
  });

  test("calls a command with operands of its own by whatever is no name below it", () => {
    expect(call("catalog", "prune").path).toBe("catalog prune");
    expect(call("catalog", "examples/hello").path).toBe("catalog");
  });

  test("that names nothing below a command is refused with what was probably meant", () => {
    expect(() => call("context", "lst")).toThrow(
      "unknown command context lst, did you mean 'list'?\nsee noetl help context",
    );
    expect(call("context", "--help")).toMatchObject({ path: "context", argv: ["--help"] });
  });
});

describe("the help", () => {
  test("of a command with others below it lists those", () => {
    expect(commandHelp(group)).toBe(
      [
        "noetl context: which control plane is meant",
        "",
        "usage: noetl context COMMAND [flags]",
        "also:  noetl ctx",
        "",
        "  add NAME  about add",
        "  list      about list",
        "",
        "noetl help context COMMAND tells more about one.",
      ].join("\n"),
    );
  });

  test("of a command below another has both names", () => {
    const { command, path } = calledCommand(all, "context", ["list"]);
    expect(commandHelp(command, path)).toBe(
      "noetl context list: about list\n\nusage: noetl context list \nalso:  noetl context ls",
    );
  });
});
