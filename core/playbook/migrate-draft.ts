// A playbook's text while it is rewritten: its nodes with their places, and the ways to change a
// map's pairs so that everything around them stays as it was written. A node that several places
// share is never changed: what suits one of them may not suit the other.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { type Edits, editsOf, lineEnd, lineStart } from "./migrate-edits.ts";
import { Findings } from "./problems.ts";
import { commentsIn, readYaml, type Span } from "./read-yaml.ts";
import type { CollectionNode, NodeKinds, PairNode, ScalarNode, Tree } from "./tree.ts";

export type MapNode = CollectionNode<PairNode>;
export type ListNode = CollectionNode<unknown>;

export interface Draft {
  readonly source: string;
  readonly value: JsonObject;
  readonly root: MapNode;
  readonly edits: Edits;
  readonly kinds: NodeKinds;
  readonly comments: readonly Span[];
  /** Anchors that something refers to. */
  readonly aliased: ReadonlySet<string>;
  /** The line break of the file. */
  readonly eol: string;
  /** The only step whose forms are rewritten now, by its place; -1 for all but the steps. */
  readonly only: number | undefined;
  /** Says what was changed, and where. */
  readonly note: (offset: number, message: string) => void;
}

/** undefined where the text is not one map of plain YAML. */
export function draftOf(source: string): Draft | undefined {
  const findings = new Findings();
  const tree = readYaml(source, findings);
  if (tree === undefined || !tree.whole || findings.errors.length > 0) return undefined;
  const { value, root, kinds } = tree;
  if (!isJsonObject(value) || !kinds.isMap(root)) return undefined;
  return {
    source,
    value,
    root,
    edits: editsOf(source),
    kinds,
    comments: commentsIn(source),
    aliased: aliasesOf(tree),
    eol: source.includes("\r\n") ? "\r\n" : "\n",
    note: () => undefined,
    only: undefined,
  };
}

function aliasesOf({ root, kinds }: Tree): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (kinds.isAlias(node)) names.add(node.source);
    else if (kinds.isSeq(node)) for (const item of node.items) visit(item);
    else if (kinds.isMap(node)) {
      for (const { key, value } of node.items) {
        visit(key);
        visit(value);
      }
    }
  };
  visit(root);
  return names;
}

/** The node as a map of its own. */
export function ownMap({ kinds, aliased }: Draft, node: unknown): MapNode | undefined {
  if (!kinds.isMap(node)) return undefined;
  return node.anchor !== undefined && aliased.has(node.anchor) ? undefined : node;
}

export function ownList({ kinds, aliased }: Draft, node: unknown): ListNode | undefined {
  if (!kinds.isSeq(node)) return undefined;
  return node.anchor !== undefined && aliased.has(node.anchor) ? undefined : node;
}

/** A text on one line or more that carries no anchor. */
export function plainScalar({ kinds }: Draft, node: unknown): ScalarNode | undefined {
  if (!kinds.isScalar(node) || node.anchor !== undefined) return undefined;
  return node.type?.startsWith("BLOCK") === true ? undefined : node;
}

/** The pair of a key that is written in the map itself, not merged into it. */
export function pairOf({ kinds }: Draft, map: MapNode, key: string): PairNode | undefined {
  return map.items.find((pair) => kinds.isScalar(pair.key) && String(pair.key.value) === key);
}

/** Items of a list with their nodes; none where the list is shared or is no list. */
export function itemsOf(
  draft: Draft,
  node: unknown,
  value: Json | undefined,
): readonly (readonly [node: unknown, value: Json])[] {
  const list = ownList(draft, node);
  if (list === undefined || !Array.isArray(value)) return [];
  return list.items.map((item, index) => [item, value[index] as Json]);
}

export function startOf(node: unknown): number {
  const { range } = node as { readonly range?: readonly [number, number, number] | null };
  return range?.[0] ?? 0;
}

/** Where the last word of a node ends: before comments and line breaks that follow it. */
export function endOf(draft: Draft, node: unknown): number {
  const { kinds, source } = draft;
  if ((kinds.isMap(node) || kinds.isSeq(node)) && !isFlow(draft, node)) {
    const last: unknown = node.items.at(-1);
    if (kinds.isSeq(node)) return last === undefined ? startOf(node) : endOf(draft, last);
    const pair = last as PairNode | undefined;
    return pair === undefined ? startOf(node) : endOfPair(draft, pair);
  }
  const { range } = node as { readonly range?: readonly [number, number, number] | null };
  let end = range?.[1] ?? 0;
  while (end > 0 && /[\r\n]/.test(source.charAt(end - 1))) end--;
  return end;
}

export function endOfPair(draft: Draft, { key, value }: PairNode): number {
  return Math.max(afterColon(draft, key), isWritten(draft, value) ? endOf(draft, value) : 0);
}

/** Whether a value stands there at all: `key:` has none. */
export function isWritten({ kinds }: Draft, value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return !(kinds.isScalar(value) && value.value === null && (value.source ?? "") === "");
}

/** The offset behind the colon that follows a key. */
export function afterColon({ source }: Draft, key: unknown): number {
  const { range } = key as { readonly range?: readonly [number, number, number] | null };
  const end = range?.[1] ?? 0;
  const colon = /^\s*:/.exec(source.slice(end, end + 1_000));
  return end + (colon?.[0].length ?? 0);
}

export function isFlow({ source }: Draft, node: unknown): boolean {
  return /[{[]/.test(source.charAt(startOf(node)));
}

export function columnOf({ source }: Draft, offset: number): number {
  return offset - lineStart(source, offset);
}

export function commentsWithin(
  { comments, source }: Draft,
  from: number,
  to: number,
): readonly string[] {
  return comments
    .filter((comment) => comment.from >= from && comment.from < to)
    .map((comment) => source.slice(comment.from, comment.to));
}

/** Puts lines behind a pair of a block, or one text behind a pair of a flow map. */
export function insertAfter(
  draft: Draft,
  pair: PairNode,
  { lines, flow }: { readonly lines: readonly string[]; readonly flow: boolean },
): void {
  const { edits, eol, source } = draft;
  const end = endOfPair(draft, pair);
  if (flow) return edits.insert(end, `, ${lines.join(" ")}`);
  const indent = " ".repeat(columnOf(draft, startOf(pair.key)));
  edits.insert(lineEnd(source, end), lines.map((line) => eol + indent + line).join(""));
}

/** Puts a pair in front of all others of a map. */
export function insertFirst(draft: Draft, map: MapNode, text: string): void {
  const { edits, eol } = draft;
  const [first] = map.items;
  if (isFlow(draft, map) || first === undefined) {
    edits.insert(startOf(map) + 1, first === undefined ? text : `${text}, `);
    return;
  }
  const at = startOf(first.key);
  edits.insert(at, text + eol + " ".repeat(columnOf(draft, at)));
}

export function renameKey({ edits }: Draft, { key }: PairNode, name: string): void {
  const { range } = key as { readonly range?: readonly [number, number, number] | null };
  if (range !== null && range !== undefined) edits.replace(range[0], range[1], name);
}

/** Takes a pair away; what is commented inside it stays as lines of its own. */
export function removePair(draft: Draft, map: MapNode, pair: PairNode): void {
  const { edits, eol, source } = draft;
  const from = startOf(pair.key);
  const to = endOfPair(draft, pair);
  const index = map.items.indexOf(pair);
  const next = map.items[index + 1];
  const before = map.items[index - 1];
  const start = lineStart(source, from);
  if (isFlow(draft, map)) {
    // With the comma in front of the pair, or else with the one behind it.
    if (before !== undefined) return cut(draft, endOfPair(draft, before), to);
    return cut(draft, from, next === undefined ? to : startOf(next.key));
  }
  if (source.slice(start, from).trim() !== "") {
    // The first key behind a dash: the next one takes its place.
    return cut(draft, from, next === undefined ? to : startOf(next.key));
  }
  const end = lineEnd(source, to);
  const trailing = source.slice(to, end).trim();
  const kept = [...commentsWithin(draft, from, to), ...(trailing === "" ? [] : [trailing])];
  const indent = source.slice(start, from);
  const after = source.indexOf("\n", to);
  if (kept.length > 0) edits.replace(start, end, kept.map((line) => indent + line).join(eol));
  else edits.replace(start, after === -1 ? source.length : after + 1, "");
}

/** Deletes a stretch, but for the comments in it: each of them ends its line. */
function cut(draft: Draft, from: number, to: number): void {
  const { edits, eol, source } = draft;
  const comments = commentsWithin(draft, from, to);
  const indent = " ".repeat(columnOf(draft, from));
  const space = /\s$/.test(source.slice(0, from).slice(-1)) ? "" : " ";
  const text = comments.map((comment) => comment + eol + indent).join("");
  edits.replace(from, to, text === "" ? "" : space + text);
}

/** Writes lines in place of a pair of a block; what is commented inside it goes above them. */
export function replacePair(draft: Draft, pair: PairNode, lines: readonly string[]): void {
  const { edits, eol, source } = draft;
  const from = startOf(pair.key);
  const to = endOfPair(draft, pair);
  const indent = " ".repeat(columnOf(draft, from));
  const comments = commentsWithin(draft, from, to);
  const start = lineStart(source, from);
  if (source.slice(start, from).trim() === "") {
    for (const comment of comments) edits.insert(start, indent + comment + eol);
  } else {
    const end = lineEnd(source, to);
    for (const comment of comments) edits.insert(end, eol + indent + comment);
  }
  edits.replace(from, to, lines.join(eol + indent));
}
