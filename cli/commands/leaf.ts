// One entry of the table of commands, in a line or two: how many operands it takes is read off the
// text that the help shows for them.

import type { Arguments, Flag } from "#cli/arguments";
import type { Command } from "./command.ts";
import { remoteFlags } from "./flags.ts";

export interface LeafText {
  readonly about: string;
  readonly flags?: Readonly<Record<string, Flag>>;
  readonly also?: readonly string[];
}

/** @param signature `add NAME [FILE…]`: the name, then operands; those in brackets may be absent. */
export function leaf(
  signature: string,
  { about, flags = {}, also }: LeafText,
  run: (args: Arguments) => Promise<number>,
): Command {
  const [name = "", ...operands] = signature.split(" ");
  const isOpen = operands.some((operand) => operand.includes("…"));
  return {
    name,
    operands: operands.join(" "),
    operandsMin: operands.filter((operand) => !operand.startsWith("[")).length,
    operandsMax: isOpen ? Number.POSITIVE_INFINITY : operands.length,
    about,
    flags,
    ...(also === undefined ? {} : { also }),
    run,
  };
}

/** One that asks a control plane: with the flags that say which. */
export function remote(
  signature: string,
  text: LeafText,
  run: (args: Arguments) => Promise<number>,
): Command {
  return leaf(signature, { ...text, flags: { ...text.flags, ...remoteFlags } }, run);
}

/** A name for the commands below it. */
export function group(name: string, about: string, sub: readonly Command[]): Command {
  return { name, operands: "", operandsMin: 0, operandsMax: 0, about, flags: {}, sub };
}

export function valueFlag(value: string, about: string, more: Partial<Flag> = {}): Flag {
  return { kind: "text", value, about, ...more };
}

export function switchFlag(about: string, more: Partial<Flag> = {}): Flag {
  return { kind: "switch", about, ...more };
}
