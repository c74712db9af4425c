// YAML text to a tree of values, and what was found in them to lines and columns. The only file that
// knows `yaml`: its nodes are kept until the check has spoken, and places are worked out only for
// what it found. Refuses several documents in one file and anything but plain YAML.

import { isAlias, isMap, isScalar, isSeq, Lexer, parseDocument } from "yaml";
import type { Problem } from "./document.ts";
import type { Finding, Findings } from "./problems.ts";
import { offsetInSource } from "./scalar-offset.ts";
import { checkSource, type Position, positionsIn } from "./source-text.ts";
import { type NodeKinds, Tree } from "./tree.ts";
import { yamlMessage } from "./yaml-message.ts";

const kinds: NodeKinds = { isAlias, isMap, isScalar, isSeq };

/**
 * Reads one document of any kind. Never throws for bad input.
 * @param noun what an empty text should have been.
 * @returns its values and their places; undefined where the text is not one document of plain
 *   YAML, with the reasons in `findings`.
 */
export function readYaml(
  source: string,
  findings: Findings,
  noun = "a playbook",
): Tree | undefined {
  return checkSource(source, findings) ? compose(source, findings, noun) : undefined;
}

/** The text as a tree of values; undefined where it is not one document of plain YAML. */
function compose(source: string, findings: Findings, noun: string): Tree | undefined {
  // Uniqueness of keys is checked in tree.ts: here it would take quadratic time.
  const document = parseDocument(source, {
    schema: "core",
    version: "1.2",
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    // "silent" would hide a second document.
    logLevel: "error",
  });
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const said = yamlMessage({ code, message }, lineAt(source, pos[0]));
    findings.error(undefined, said, { at: "source", offset: pos[0] });
  }
  if (findings.errors.length > 0) return undefined;
  if (document.contents === null) {
    findings.error(undefined, `the document is empty, expected ${noun}`);
    return undefined;
  }
  return new Tree(document.contents, kinds, findings);
}

/** A stretch of the source, by offsets. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where a text's comments stand, in its order. */
export function commentsIn(source: string): readonly Span[] {
  const comments: Span[] = [];
  let at = source.startsWith("\uFEFF") ? 1 : 0;
  let scalar = false;
  for (const lexeme of new Lexer().lex(source.slice(at))) {
    // Marks of one character that the text doesn't hold: a document's start, flow's end, a scalar.
    const mark = /^[\u0002\u0018\u001f]$/.test(lexeme);
    if (!mark) {
      if (!scalar && lexeme.startsWith("#")) comments.push({ from: at, to: at + lexeme.length });
      at += lexeme.length;
    }
    scalar = lexeme === "\u001f";
  }
  return comments;
}

function lineAt(source: string, offset: number): string {
  const start = source.lastIndexOf("\n", offset - 1) + 1;
  const end = source.indexOf("\n", offset);
  return source.slice(start, Math.min(end === -1 ? source.length : end, start + 1_000));
}

/**
 * The errors among the findings, in the order of the text, and how many more there were than are
 * kept.
 */
export function errorsOf(
  source: string,
  findings: Findings,
  tree: Tree | undefined,
): readonly Problem[] {
  const problems = problemsOf(source, findings.errors, tree);
  if (findings.unlisted === 0) return problems;
  const last = problems[problems.length - 1];
  const place = last ?? { line: 1, column: 1, path: [] };
  return [...problems, { ...place, message: `${findings.unlisted} more problems are not listed` }];
}

/**
 * Findings at their lines and columns, in the order of the text, each told once. Lines and columns
 * count from 1, columns in UTF-16 units.
 */
export function problemsOf(
  source: string,
  findings: readonly Finding[],
  tree: Tree | undefined,
): readonly Problem[] {
  if (findings.length === 0) return [];
  const positionOf = positionsIn(source);
  const problems = new Map<string, Problem>();
  for (const finding of findings) {
    const position: Position = positionOf(Math.min(offsetOf(source, finding, tree), source.length));
    const { message, path } = finding;
    const key = `${position.line}:${position.column}:${message}`;
    if (!problems.has(key)) problems.set(key, { message, ...position, path });
  }
  return [...problems.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function offsetOf(source: string, { place, path }: Finding, tree: Tree | undefined): number {
  if (place.at === "source") return place.offset;
  if (tree === undefined) return 0;
  const { node, key } = tree.find(path);
  switch (place.at) {
    case "key":
      return tree.startOf(key ?? node);
    case "value":
      return tree.startOf(node);
    case "text":
      if (!isScalar(node)) return tree.startOf(node);
      return offsetInSource(source, node, place.offset);
    default:
      return place satisfies never;
  }
}
