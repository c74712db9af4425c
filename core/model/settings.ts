// What a setting is: the shape its text has to have, what stands for it when nobody gave it, and
// what it is for. Each process lists its own; the reading of them is core/adapters/configuration.

import { type Type, type } from "arktype";

export interface Setting {
  /** From the text that the environment or the file gives. */
  readonly shape: Type;
  /** As the environment would give it; without one the setting may be absent. */
  readonly default?: string;
  /** Never shown. */
  readonly secret?: true;
  readonly text: string;
}

/** The settings of one process, by name, in the order in which they are shown. */
export type Settings = Readonly<Record<string, Setting>>;

/** What the settings come to once they are read. */
export type SettingValues<Of extends Settings> = {
  readonly [Name in keyof Of]: Of[Name] extends { readonly default: string }
    ? Of[Name]["shape"]["infer"]
    : Of[Name]["shape"]["infer"] | undefined;
};

export const text = type("string > 0").describe("text");

export const port = type("string.integer.parse")
  .to("0 <= number <= 65535")
  .describe("a port, 0 to 65535");

export const count = type("string.integer.parse").to("1 <= number <= 4096").describe("1 to 4096");

export const durationMs = type("string.integer.parse")
  .to("0 <= number <= 3600000")
  .describe("milliseconds, 0 to 3600000");

export const megabytes = type("string.integer.parse")
  .to("16 <= number <= 16777216")
  .describe("megabytes, 16 to 16777216");

/** Without slashes at its end: paths are put behind it. */
const addressPattern = /^https?:\/\/[^\s,]+$/;

const addressesOf = (given: string): readonly string[] =>
  partsOf(given).map((address) => address.replace(/\/+$/, ""));

const addressList = type("string").narrow(
  (given, context) =>
    (partsOf(given).length > 0 &&
      partsOf(given).every((part) => addressPattern.test(part) && URL.canParse(part))) ||
    context.mustBe("an http or https address, or several with commas between them"),
);

export const address = type("/^https?:\\/\\/\\S+$/").describe("an http or https address");

/** Addresses of replicas: any of them will do. */
export const addresses = addressList.pipe(addressesOf);

/** The first of several addresses, for who talks to one replica. */
export const firstAddress = addressList.pipe((given) => addressesOf(given)[0] ?? given);

/** One of two words. */
export const either = <const Word extends string>(first: Word, second: Word) =>
  type("string").narrow(
    (given, context): given is Word =>
      given === first || given === second || context.mustBe(`${first} or ${second}`),
  );

/** Names with commas between them; at least one. */
export const names = type("string")
  .narrow(
    (given, context) =>
      partsOf(given).length > 0 || context.mustBe("names with commas between them"),
  )
  .pipe((given): readonly string[] => [...new Set(partsOf(given))]);

/** `key=value` pairs with commas between them. */
export const pairs = type("string")
  .narrow(
    (given, context) =>
      (partsOf(given).length > 0 && partsOf(given).every((part) => /^[^=]+=[^=]+$/.test(part))) ||
      context.mustBe("key=value pairs with commas between them"),
  )
  .pipe(
    (given): Readonly<Record<string, string>> =>
      Object.fromEntries(partsOf(given).map((part) => pairOf(part))),
  );

export const flag = type("string")
  .narrow(
    (given, context) => given === "true" || given === "false" || context.mustBe("true or false"),
  )
  .pipe((given) => given === "true");

function pairOf(part: string): readonly [string, string] {
  const at = part.indexOf("=");
  return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function partsOf(given: string): readonly string[] {
  return given
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
