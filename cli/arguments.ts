// Owns the reading of command lines: flags and operands as a command declares them. It refuses
// what was not declared, and says what was probably meant.

import { didYouMean } from "#core/playbook/template/suggest";

/** A flag by its long name: a switch is there or not, a text has one value, a list any number. */
export interface Flag {
  readonly kind: "switch" | "text" | "list";
  /** One letter for the short form. */
  readonly short?: string;
  /** What stands for the value in the help: `URL`. */
  readonly value?: string;
  /** Other long names that mean the same. */
  readonly also?: readonly string[];
  /** `server`: of every command that talks to a control plane, and told in one line by the help. */
  readonly group?: "server";
  /** What the value may be, where that is known. */
  readonly among?: readonly string[];
  readonly about: string;
}

export interface CommandSyntax {
  readonly name: string;
  /** What follows the name in the help: `FILE… [flags]`. */
  readonly operands: string;
  readonly operandsMin: number;
  readonly operandsMax: number;
  readonly flags: Readonly<Record<string, Flag>>;
}

export interface Arguments {
  readonly operands: readonly string[];
  has(flag: string): boolean;
  /** The value of a text flag; the last one wins. */
  text(flag: string): string | undefined;
  list(flag: string): readonly string[];
}

/** The command line is not one of this command; ends with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Found {
  readonly name: string;
  readonly flag: Flag;
}

/**
 * Reads `--name value`, `--name=value`, `-n value`, `-nvalue` and operands, in any order; `--` ends
 * the flags, and `-` alone is an operand.
 * @throws UsageError naming what was expected and what was found.
 */
export function parseArguments(syntax: CommandSyntax, argv: readonly string[]): Arguments {
  const operands: string[] = [];
  const values = new Map<string, string[]>();
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    if (argument === "--") {
      operands.push(...argv.slice(index + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      operands.push(argument);
      continue;
    }
    const { found, attached } = flagOf(syntax, argument);
    const kept = values.get(found.name) ?? [];
    values.set(found.name, kept);
    if (found.flag.kind === "switch") {
      if (attached !== undefined) throw new UsageError(`--${found.name} takes no value`);
      continue;
    }
    const value = attached ?? argv[++index];
    if (value === undefined) {
      throw new UsageError(`--${found.name}: expected ${found.flag.value ?? "a value"}`);
    }
    kept.push(value);
  }
  checkOperands(syntax, operands);
  return {
    operands,
    has: (flag) => values.has(flag),
    text: (flag) => values.get(flag)?.at(-1),
    list: (flag) => values.get(flag) ?? [],
  };
}

function flagOf(
  syntax: CommandSyntax,
  argument: string,
): { readonly found: Found; readonly attached: string | undefined } {
  const flags = Object.entries(syntax.flags);
  if (argument.startsWith("--")) {
    const equals = argument.indexOf("=");
    const name = argument.slice(2, equals === -1 ? undefined : equals);
    const attached = equals === -1 ? undefined : argument.slice(equals + 1);
    for (const [own, flag] of flags) {
      if (own === name || flag.also?.includes(name) === true) {
        return { found: { name: own, flag }, attached };
      }
    }
    const known = flags.flatMap(([own, { also = [] }]) => [own, ...also]);
    throw new UsageError(`unknown flag --${name}${didYouMean(name, known)}`);
  }
  const letter = argument.charAt(1);
  const rest = argument.slice(2);
  for (const [own, flag] of flags) {
    if (flag.short === letter) {
      const attached = rest === "" ? undefined : rest.replace(/^=/, "");
      return { found: { name: own, flag }, attached };
    }
  }
  throw new UsageError(`unknown flag -${letter}`);
}

function checkOperands(syntax: CommandSyntax, operands: readonly string[]): void {
  const { operandsMin, operandsMax } = syntax;
  if (operands.length < operandsMin) throw new UsageError(`expected ${syntax.operands}`);
  const extra = operands[operandsMax];
  if (extra !== undefined)
    throw new UsageError(
      `expected ${syntax.operands || "no operand"}, found ${JSON.stringify(extra)} as well`,
    );
}
