// Owns the words of the tidy rules: a source file, a finding, and where in a file it is.
import { type Scan, scan } from "./scanner.ts";

/** A text file of the repository, path relative to its root. */
export type TextFile = { readonly path: string; readonly text: string };

/** A TypeScript file together with what the scanner made of it. */
export type SourceFile = TextFile & Scan;

/** One broken rule. The message says what was found and what to do instead. */
export type Finding = {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
};

/** Scans a TypeScript file once, so that every rule reads the same result. */
export function sourceFile(file: TextFile): SourceFile {
  return { ...file, ...scan(file.text) };
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
  }
  return line;
}

/** `file:line: rule: message`, a form that editors turn into a link. */
export function formatFinding({ path, line, rule, message }: Finding): string {
  return `${path}:${line}: ${rule}: ${message}`;
}
