// Secrets that a person gives: typed without being shown, or from standard input. They are never
// taken from the command line, which others on the machine can read.

import { UsageError } from "./arguments.ts";

/** Of one secret on standard input; more is a file that was meant for something else. */
const secretBytesMax = 1_048_576;

/**
 * One secret: the whole of standard input without its last line end, or typed where that is a
 * terminal.
 * @throws UsageError for nothing, and for what is no text.
 */
export async function readSecret(prompt: string): Promise<string> {
  const text = process.stdin.isTTY === true ? await typed(prompt) : await standardInput();
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new UsageError("expected a secret on standard input, found nothing");
  return secret;
}

/** All of standard input. @throws UsageError for what is no text, or too much of it. */
export async function standardInput(): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of Bun.stdin.stream()) {
    size += part.byteLength;
    if (size > secretBytesMax) {
      throw new UsageError(`standard input: expected at most ${secretBytesMax} bytes`);
    }
    parts.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new UsageError("standard input: expected UTF-8 text");
  }
}

/** One line of the terminal, without its echo. */
async function typed(prompt: string): Promise<string> {
  const { stdin } = process;
  process.stderr.write(prompt);
  stdin.setRawMode(true);
  let line = "";
  try {
    for await (const bytes of stdin) {
      for (const letter of String(bytes)) {
        if (letter === "\r" || letter === "\n") return line;
        if (letter === "\u0003") throw new UsageError("interrupted");
        line = letter === "\u007f" ? line.slice(0, -1) : line + letter;
      }
    }
    return line;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write("\n");
  }
}

/** Whether a person at the terminal says yes; without a terminal nobody does. */
export async function isConfirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) return false;
  process.stderr.write(`${question} [y/N] `);
  for await (const line of console) return /^y(?:es)?$/i.test(line.trim());
  return false;
}
