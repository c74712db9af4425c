// Compares what a page shows with what a command said: what differs from run to run (ids, times,
// durations, ports, digests) may differ, everything else may not. An id that a page shows twice
// stands for one id.

/** In the order in which they are looked for. */
const volatile: Readonly<Record<string, string>> = {
  digest: "\\b[0-9a-f]{64}\\b",
  id: "\\b\\d{18,19}\\b",
  moment: "\\b\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z",
  clock: "\\b\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\b",
  took: "\\b\\d+(?:\\.\\d+)? (?:ms|s)\\b",
  human: "\\b\\d+(?:\\.\\d+)?m?s\\b",
  number: '(?<="(?:duration_ms|duration_seconds|time|uptime_seconds|pid)": ?)[\\d.]+',
  address: "127\\.0\\.0\\.1:\\d+",
  worker: "\\bembedded-\\d+\\b",
};

const anyVolatile = new RegExp(
  Object.entries(volatile)
    .map(([name, source]) => `(?<${name}>${source})`)
    .join("|"),
  "g",
);

/** The text with every volatile part replaced by its kind, for people to compare. */
export function normalised(text: string): string {
  return text.replaceAll(anyVolatile, (...found) => `<${kindOf(found)}>`);
}

/** The arguments of a replacement end with its groups by name. */
function kindOf(found: readonly unknown[]): string {
  const groups = found.at(-1) as Readonly<Record<string, string | undefined>>;
  return Object.keys(groups).find((name) => groups[name] !== undefined) ?? "";
}

export interface MatchOptions {
  /** More may follow what the page shows: the command still runs. */
  readonly openEnd?: boolean;
}

/**
 * Whether the output is the one shown. `…` stands for the rest of a line, a line of `…` alone for
 * any lines.
 * @param ids ids shown so far and what they stand for; a match adds those it has learned.
 */
export function matchesShown(
  shown: string,
  output: string,
  ids: Map<string, string>,
  { openEnd = false }: MatchOptions = {},
): boolean {
  const names: string[] = [];
  const lines = (shown === "" ? [] : shown.split("\n")).map((line) => {
    if (line === "…") return "(?:[^\\n]*\\n)*?";
    return `${linePattern(line, names)}\\n`;
  });
  const whole = new RegExp(`^${lines.join("")}${openEnd ? "" : "$"}`);
  const found = whole.exec(output === "" || output.endsWith("\n") ? output : `${output}\n`);
  if (found === null) return false;
  const learned = new Map(ids);
  for (const [index, name] of names.entries()) {
    const id = found[index + 1] ?? "";
    if ((learned.get(name) ?? id) !== id) return false;
    learned.set(name, id);
  }
  for (const [name, id] of learned) ids.set(name, id);
  return true;
}

/** @param names gets the ids of the line, one for each group of the pattern. */
function linePattern(line: string, names: string[]): string {
  const pieces: string[] = [];
  let end = 0;
  for (const found of line.matchAll(anyVolatile)) {
    pieces.push(literal(line.slice(end, found.index)));
    const kind = kindOf([found.groups]);
    if (kind === "id") names.push(found[0]);
    const source = volatile[kind] ?? "";
    pieces.push(kind === "id" ? `(${source})` : source);
    end = found.index + found[0].length;
  }
  return [...pieces, literal(line.slice(end))].join("");
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll("…", "[^\\n]*?");
}
