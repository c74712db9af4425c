// Completion, as the shells themselves would ask for it.

import { describe, expect, test } from "bun:test";
import { commands } from "#cli/commands";
import { completionScript } from "#cli/completion";

const script = completionScript("bash", commands);

/** One process of bash for all lines: what it would offer behind each. */
async function offered(lines: readonly (readonly string[])[]): Promise<readonly string[][]> {
  const asked = lines.map((words) => {
    const list = ["noetl", ...words].map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(${list}); COMP_CWORD=${words.length}; COMPREPLY=(); _noetl; echo "\${COMPREPLY[*]}"`;
  });
  const bash = Bun.spawn(["bash", "-c", [script, ...asked].join("\n")], {
    cwd: import.meta.dir,
    stdout: "pipe",
  });
  const out = await new Response(bash.stdout).text();
  return out
    .split("\n")
    .slice(0, lines.length)
    .map((line) => line.split(" ").filter(Boolean));
}

describe("bash completes", () => {
  test("commands, the commands below them, flags, and the values of flags", async () => {
    const [first, sub, flag, value, older, own, deep, file, none, other] = await offered([
      ["rer"],
      ["context", ""],
      ["list", "--st"],
      ["run", "x.yaml", "--runtime", "d"],
      ["exec", "--targ"],
      ["schedule", "create", "p", "--overlap", ""],
      ["--json", "approvals", "appr"],
      ["run", "completion.te"],
      ["list", "--zzz"],
      ["token", "create", "ci", "--role", "e"],
    ]);
    expect(first).toEqual(["rerun"]);
    expect(sub).toEqual(["add", "list", "use", "current", "set-runtime", "delete"]);
    expect(flag).toEqual(["--status"]);
    expect(value).toEqual(["distributed"]);
    expect(older).toEqual(["--target"]);
    expect(own).toEqual(["allow", "skip", "queue", "cancel_previous"]);
    expect(deep).toEqual(["approve"]);
    expect(file).toEqual(["completion.test.ts"]);
    expect(none).toEqual([]);
    expect(other).toEqual(["editor"]);
  });

  test("every command that the help lists, and none that it doesn't", async () => {
    const [all = []] = await offered([[""]]);
    const shown = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
    expect(all).toEqual([...shown, "version", "help"]);
  });
});

describe("the script", () => {
  test("of zsh is that of bash behind what makes zsh understand it", () => {
    const lines = completionScript("zsh", commands).split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "#compdef noetl",
      "autoload -U +X bashcompinit && bashcompinit",
    ]);
    expect(lines.slice(2).join("\n")).toBe(script);
  });

  test("of fish has a line for every name and flag, and quotes what it says of them", () => {
    const text = completionScript("fish", commands);
    expect(text).toContain("complete -c noetl -n '__noetl_at context' -f -a 'add' -d");
    expect(text).toContain("-n '__noetl_at run' -l runtime -s r -x -a 'auto local distributed'");
    const rest = text.replaceAll("'\\''", "").replaceAll(/'[^']*'/g, "");
    expect(rest).not.toContain("'");
  });

  test("of another shell is refused", () => {
    expect(() => completionScript("tcsh", commands)).toThrow("expected one of bash, zsh, fish");
  });
});
