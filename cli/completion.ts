// `noetl completion bash|zsh|fish`: what a shell needs to complete command lines, made from the table
// of commands: names, flags, and the words that a flag takes. Files complete where a word may be one.

import type { Command } from "#cli/commands/command";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";

export const shells = ["bash", "zsh", "fish"] as const;

export async function completion({ operands }: Arguments): Promise<number> {
  const [shell = ""] = operands;
  const { commands } = await import("./commands.ts");
  console.log(completionScript(shell, commands));
  return exitOk;
}

/** @throws UsageError for another shell. */
export function completionScript(shell: string, commands: readonly Command[]): string {
  const places = [rootOf(commands), ...commands.flatMap((command) => placesOf(command, ""))];
  switch (shell) {
    case "bash":
      return bashScript(places);
    case "zsh":
      return [
        "#compdef noetl",
        "autoload -U +X bashcompinit && bashcompinit",
        bashScript(places),
      ].join("\n");
    case "fish":
      return fishScript(places);
    default:
      throw new UsageError(
        `expected one of ${shells.join(", ")}, found ${JSON.stringify(shell.slice(0, 80))}`,
      );
  }
}

/** One place of the table: what may stand behind these names. */
interface Place {
  /** `/context/add`; empty for the beginning. */
  readonly path: string;
  /** Other names of the last part. */
  readonly also: readonly string[];
  readonly about: string;
  readonly names: readonly (readonly [name: string, about: string])[];
  readonly flags: readonly CompletedFlag[];
}

interface CompletedFlag {
  readonly spellings: readonly string[];
  readonly about: string;
  /** Undefined for a switch; empty where any value will do. */
  readonly among: readonly string[] | undefined;
}

function rootOf(commands: readonly Command[]): Place {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const names = shown.map(({ name, about }) => [name, about] as const);
  return {
    ...{ path: "", also: [], about: "", flags: [] },
    names: [...names, ["version", "the version"], ["help", "help on a command"]],
  };
}

function placesOf(command: Command, above: string): readonly Place[] {
  const { name, also = [], about, sub = [] } = command;
  const path = `${above}/${name}`;
  const flags = Object.entries(command.flags).map(([long, flag]) => ({
    spellings: [
      `--${long}`,
      ...(flag.also ?? []).map((other) => `--${other}`),
      ...(flag.short === undefined ? [] : [`-${flag.short}`]),
    ],
    about: flag.about,
    among: flag.kind === "switch" ? undefined : (flag.among ?? []),
  }));
  const help = { spellings: ["--help"], about: "what it does", among: undefined };
  const names = sub.map((each) => [each.name, each.about] as const);
  const own = { path, also, about, names, flags: sub.length > 0 ? flags : [...flags, help] };
  return [own, ...sub.flatMap((each) => placesOf(each, path))];
}

function bashScript(places: readonly Place[]): string {
  const walk = places
    .filter(({ path }) => path !== "")
    .map(({ path, also }) => {
      const above = path.slice(0, path.lastIndexOf("/"));
      const spellings = [path, ...also.map((other) => `${above}/${other}`)];
      return `      ${spellings.map(quoted).join("|")}) path=${quoted(path)} ;;`;
    });
  const values = places.flatMap(({ path, flags }) =>
    flags
      .filter(({ among }) => among !== undefined)
      .map(({ spellings, among = [] }) => {
        const cases = spellings.map((spelling) => quoted(`${path}:${spelling}`)).join("|");
        return `    ${cases}) isValue=1; words=${quoted(among.join(" "))} ;;`;
      }),
  );
  const words = places.map(({ path, names, flags }) => {
    const all = [...names.map(([name]) => name), ...flags.map(({ spellings }) => spellings[0])];
    return `      ${quoted(path)}) words=${quoted(all.join(" "))} ;;`;
  });
  return `_noetl() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' words='' isValue='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path/\${COMP_WORDS[i]}" in
${walk.join("\n")}
    esac
  done
  case "$path:$prev" in
${values.join("\n")}
  esac
  if [ -z "$isValue" ]; then
    case "$path" in
${words.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then
    case "$cur" in -*) ;; *) COMPREPLY=($(compgen -f -- "$cur")) ;; esac
  fi
}
complete -o filenames -F _noetl noetl`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, names, flags }) => {
    const at = `-n ${quoted(`__noetl_at ${path.split("/").filter(Boolean).join(" ")}`.trimEnd())}`;
    const start = `complete -c noetl ${at}`;
    return [
      ...names.map(([name, about]) => `${start} -f -a ${quoted(name)} -d ${quoted(about)}`),
      ...flags.map(({ spellings, about, among }) => {
        const spelled = spellings.map((each) =>
          each.startsWith("--") ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`,
        );
        const value = among === undefined ? "" : among.length === 0 ? " -r" : " -x -a ";
        const given = among === undefined || among.length === 0 ? "" : quoted(among.join(" "));
        return `${start} ${spelled.join(" ")}${value}${given} -d ${quoted(about)}`;
      }),
    ];
  });
  return `function __noetl_at
  set -l words
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; or set -a words $word
  end
  test "$words" = "$argv"
end
${lines.join("\n")}`;
}

/** As a word of a shell that nothing in it means anything to. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
