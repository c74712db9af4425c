// Owns what must not be written anywhere: leftover markers, holes in the types, tests that don't
// run, addresses of one machine or registry, and words about how the work was organised.
import type { Finding, SourceFile, TextFile } from "./source.ts";

type Word = { readonly rule: string; readonly pattern: RegExp; readonly instead: string };

const anywhere: readonly Word[] = [
  {
    rule: "marker",
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    instead: "do it now or leave it out",
  },
  {
    rule: "machine path",
    pattern: /(?<![\w.}~-])\/(?:work|root)\//,
    instead: "name no path of one machine",
  },
  {
    rule: "registry address",
    pattern: /registry\.npmjs\.org|deb\.debian\.org|registry\.yarnpkg\.com/,
    instead: "leave the address to the reader's own configuration",
  },
  {
    rule: "process word",
    pattern: /\bissue #?\d+\b|DEVELOPERS\.md|\bsession of\b|\bsub-?agents?\b/i,
    instead: "speak of the product, not of how it was made",
  },
];

const inCode: readonly Word[] = [
  { rule: "any", pattern: /\bas any\b/, instead: "name the type, or check the value" },
  { rule: "focused test", pattern: /\.only\s*\(/, instead: "run the whole file" },
];

const inComments: readonly Word[] = [
  {
    rule: "silenced compiler",
    pattern: /@ts-(?:ignore|nocheck)/,
    instead: "fix the type, or expect the error and say why",
  },
];

const skipped = /\b(?:test|it|describe)\.(?:skip|todo)(?:If)?\s*\(|\bskipIf\s*\(/;

/** Files that quote the words in order to forbid them. */
const exempt = /^tests\/tidy\//;

/** Words that are out of place in any text file. */
export function wordRule(file: TextFile): readonly Finding[] {
  return exempt.test(file.path) ? [] : search(file, file.text, anywhere);
}

/** Words that are out of place in code, and those that are out of place in a comment. */
export function codeWordRule(file: SourceFile): readonly Finding[] {
  if (exempt.test(file.path)) return [];
  const comments = file.comments.flatMap(({ start, text }) => {
    const rows = file.text.slice(0, start).split("\n").length - 1;
    return search(file, `${"\n".repeat(rows)}${text}`, inComments);
  });
  return [...search(file, file.code, inCode), ...comments];
}

/** A test that doesn't run says why, in a comment on its line or the line above. */
export function skipRule(file: SourceFile): readonly Finding[] {
  const rows = file.text.split("\n");
  return file.code.split("\n").flatMap((row, index) => {
    if (!skipped.test(row)) return [];
    const explained = [rows[index], rows[index - 1]].some((near) => /\/\/\s*\S/.test(near ?? ""));
    if (explained) return [];
    const message = "found a test that may not run; say why in a comment above it";
    return [{ path: file.path, line: index + 1, rule: "skipped test", message }];
  });
}

/** The lockfile names packages and digests; an address in it binds every reader to one registry. */
export function lockfileRule(file: TextFile): readonly Finding[] {
  if (file.path !== "bun.lock") return [];
  const word = { rule: "lockfile", pattern: /https?:\/\/[^"\s]*/, instead: "install without it" };
  return search(file, file.text, [word]);
}

function search(file: TextFile, text: string, words: readonly Word[]): readonly Finding[] {
  return text.split("\n").flatMap((row, index) =>
    words.flatMap(({ rule, pattern, instead }) => {
      const found = pattern.exec(row);
      if (found === null) return [];
      return [{ path: file.path, line: index + 1, rule, message: `found ${found[0]}; ${instead}` }];
    }),
  );
}
