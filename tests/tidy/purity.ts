// Owns the pure line: below it a function is its arguments, so the same code decides, replays and
// runs in a simulator. Names of the world outside are refused, whatever they are used for.
import { importsOf } from "./imports.ts";
import { type Finding, lineAt, type SourceFile } from "./source.ts";

const pureFolders = /^core\/(?:model|playbook|engine|ports|wire)\//;

const world = [
  "async",
  "await",
  "Promise",
  "Date",
  "performance",
  "crypto",
  "fetch",
  "process",
  "Bun",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "globalThis",
];

// A member (`x.fetch`) or a key (`fetch:`) is a name of ours; `a ? Date : b` is not a key, but a
// reader would stumble over it as well.
const worldPattern = new RegExp(`(?<![\\w$.#])(?:${world.join("|")})(?![\\w$]|\\??\\s*:)`, "g");
const randomPattern = /(?<![\w$.])Math\s*\.\s*random\b/g;
const portCode = /^(?:export\s+)?(?:const|let|var|function|class|async)\b/gm;

/** No clock, randomness, I/O, timer or global below the pure line; ports may name a promise. */
export function purityRule(file: SourceFile): readonly Finding[] {
  if (!pureFolders.test(file.path)) return [];
  const isPort = file.path.startsWith("core/ports/");
  const finding = (line: number, what: string): Finding => ({
    path: file.path,
    line,
    rule: "pure line",
    message: `found ${what}; take the value, or the function that makes it, as an argument`,
  });
  const imports = importsOf(file)
    .filter(({ specifier }) => /^(?:node:|bun:|bun$)/.test(specifier))
    .map(({ specifier, line }) => finding(line, specifier));
  const names = [...file.code.matchAll(worldPattern), ...file.code.matchAll(randomPattern)]
    .filter(([name]) => !(isPort && name === "Promise"))
    .map((match) => finding(lineAt(file.text, match.index), match[0]));
  return [...imports, ...names];
}

/** A port says what is needed from the world; a line that runs belongs to an adapter. */
export function portRule(file: SourceFile): readonly Finding[] {
  if (!file.path.startsWith("core/ports/")) return [];
  return [...file.code.matchAll(portCode)].map((match) => ({
    path: file.path,
    line: lineAt(file.text, match.index),
    rule: "port",
    message: `found ${match[0]}; ports hold types only, move what runs to core/adapters`,
  }));
}
