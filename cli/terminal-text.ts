// Small texts for people: durations, cut lines, values, and colours where they are wanted.

export type Paint = (color: Color, text: string) => string;

type Color = "green" | "red" | "yellow" | "cyan" | "dim" | "bold";

const codes: Readonly<Record<Color, readonly [open: number, close: number]>> = {
  green: [32, 39],
  red: [31, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
};

/** Colours for a terminal; without a wish for them, the text itself. */
export function painter(colored: boolean): Paint {
  if (!colored) return (_color, text) => text;
  return (color, text) => {
    const [open, close] = codes[color];
    return `\u001b[${open}m${text}\u001b[${close}m`;
  };
}

/** Whether a stream shows colours: a terminal, unless NO_COLOR (no-color.org) has a value. */
export function wantsColor(stream: { readonly isTTY?: boolean }): boolean {
  const refused = process.env["NO_COLOR"];
  return stream.isTTY === true && (refused === undefined || refused === "");
}

/** `12 ms`, `1.2 s`, `2 min 3 s`, `1 h 4 min`. */
export function durationText(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1_000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Control characters, and those that turn the direction of what follows. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** One line that a terminal shows as it stands: names and messages of others may say anything. */
export function plainText(text: string): string {
  return text.replace(unprintable, " ");
}

/** The same for text of several lines. */
export function plainLines(text: string): string {
  return text.split("\n").map(plainText).join("\n");
}

/** One line without control characters, cut to so many columns of a terminal. */
export function cutLine(text: string, columns: number): string {
  const plain = plainText(text);
  if (Bun.stringWidth(plain) <= columns) return plain;
  if (columns < 1) return "";
  let width = 0;
  let cut = "";
  for (const character of plain) {
    width += Bun.stringWidth(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

const valueColumns = 76;

/** A value as JSON over several lines, at most so many; the last one says what is missing. */
export function valueLines(value: unknown, linesMax: number): readonly string[] {
  const lines = laidOut(value, "").split("\n");
  if (lines.length <= linesMax) return lines;
  const shown = lines.slice(0, linesMax - 1);
  return [...shown, `… ${lines.length - shown.length} more lines`];
}

/** JSON whose parts stand in one line where they fit. */
function laidOut(value: unknown, indent: string): string {
  const flat = JSON.stringify(value) ?? "null";
  if (flat.length + indent.length <= valueColumns) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + laidOut(item, inner)).join(",\n")}\n${indent}]`;
  }
  if (typeof value !== "object" || value === null) return flat;
  const fields = Object.entries(value).map(
    ([name, part]) => `${inner}${JSON.stringify(name)}: ${laidOut(part, inner)}`,
  );
  return `{\n${fields.join(",\n")}\n${indent}}`;
}
