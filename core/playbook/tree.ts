// YAML nodes to plain values, with everything YAML allows and playbooks don't: repeated keys,
// keys that are no text, unknown aliases, bombs, numbers that JSON can't carry. Keeps the nodes,
// so that the place of a path can be found later.

import type { Json } from "#core/model/json";
import { jsonDepthMax, yamlAliasesMax, yamlNodesMax } from "#core/model/limits";
import type { DocumentPath } from "./document.ts";
import { type Findings, quoted, type Trail } from "./problems.ts";
import { quoteHint } from "./yaml-message.ts";

export interface NodeBase {
  readonly range?: readonly [number, number, number] | null | undefined;
  readonly anchor?: string | undefined;
}
export interface ScalarNode extends NodeBase {
  readonly value: unknown;
  readonly source?: string | undefined;
  readonly type?: string | undefined;
}
export interface PairNode {
  readonly key: unknown;
  readonly value: unknown;
}
export interface CollectionNode<Item> extends NodeBase {
  readonly items: readonly Item[];
}
export interface AliasNode {
  readonly source: string;
  readonly range?: readonly [number, number, number] | null | undefined;
}

/** Tells the reader's nodes apart: given from outside, so that this file needs no YAML package. */
export interface NodeKinds {
  readonly isScalar: (node: unknown) => node is ScalarNode;
  readonly isMap: (node: unknown) => node is CollectionNode<PairNode>;
  readonly isSeq: (node: unknown) => node is CollectionNode<unknown>;
  readonly isAlias: (node: unknown) => node is AliasNode;
}

/** What stands for `{{ x }}` that lacks its quotes, so that no second problem follows from it. */
const templateMeant = "{{ none }}";

interface Anchored {
  readonly node: unknown;
  value: Json;
  size: number;
  open: boolean;
}

interface Where {
  readonly trail: Trail | undefined;
  readonly depth: number;
}

/** Ends the reading of a document that is too large to go on with; never leaves this file. */
class Abandoned extends Error {
  override readonly name = "Abandoned";
}

export class Tree {
  /** The value of the root; meaningless where `whole` is false. */
  value: Json = null;
  /** False if reading ended early, so that nothing more can be said of the value. */
  whole = true;
  readonly #anchors = new Map<string, Anchored>();
  readonly #targets = new Map<AliasNode, unknown>();
  readonly #indexes = new Map<unknown, ReadonlyMap<string, PairNode>>();
  #nodes = 0;
  #aliases = 0;

  constructor(
    readonly root: unknown,
    readonly kinds: NodeKinds,
    readonly findings: Findings,
  ) {
    try {
      this.value = this.#read(root, { trail: undefined, depth: 0 });
    } catch (thrown) {
      if (!(thrown instanceof Abandoned)) throw thrown;
      this.whole = false;
    }
  }

  /** The node at a path, or the nearest one above it; and the key that leads to it. */
  find(path: DocumentPath): { readonly node: unknown; readonly key: unknown } {
    let found: { node: unknown; key: unknown } = { node: this.root, key: undefined };
    for (const step of path) {
      const inside = this.#target(found.node);
      if (this.kinds.isSeq(inside) && typeof step === "number") {
        const node = inside.items[step];
        found = { node, key: node };
      } else if (this.kinds.isMap(inside)) {
        const pair = this.#index(inside).get(String(step));
        if (pair === undefined) break;
        found = { node: pair.value ?? pair.key, key: pair.key };
      } else break;
    }
    return { node: this.#target(found.node), key: found.key };
  }

  #target(node: unknown): unknown {
    return this.kinds.isAlias(node) ? this.#targets.get(node) : node;
  }

  #index(map: CollectionNode<PairNode>): ReadonlyMap<string, PairNode> {
    const known = this.#indexes.get(map);
    if (known !== undefined) return known;
    const index = new Map<string, PairNode>();
    for (const pair of map.items) {
      const key = this.#keyText(pair.key);
      if (key === undefined || this.#isMerge(pair.key) || index.has(key)) continue;
      index.set(key, pair);
    }
    for (const source of this.#mergeSources(map)) {
      for (const [key, pair] of this.#index(source)) if (!index.has(key)) index.set(key, pair);
    }
    this.#indexes.set(map, index);
    return index;
  }

  #read(node: unknown, where: Where): Json {
    this.#nodes++;
    if (where.depth > jsonDepthMax) {
      return this.#abandon(node, where, `nested deeper than ${jsonDepthMax} levels`);
    }
    if (this.kinds.isAlias(node)) return this.#alias(node, where);
    const anchor = this.#anchorOf(node);
    if (anchor === undefined) return this.#plain(node, where);
    const entry: Anchored = { node, value: null, size: 0, open: true };
    this.#anchors.set(anchor, entry);
    const before = this.#nodes;
    entry.value = this.#plain(node, where);
    entry.size = this.#nodes - before + 1;
    entry.open = false;
    return entry.value;
  }

  #plain(node: unknown, where: Where): Json {
    if (this.kinds.isScalar(node)) return this.#scalar(node, where.trail);
    if (this.kinds.isMap(node)) return this.#map(node, where);
    if (this.kinds.isSeq(node)) {
      const depth = where.depth + 1;
      return node.items.map((item, key) =>
        this.#read(item, { trail: { parent: where.trail, key }, depth }),
      );
    }
    return null;
  }

  #alias(node: AliasNode, where: Where): Json {
    if (++this.#aliases > yamlAliasesMax) {
      return this.#abandon(node, where, `more than ${yamlAliasesMax} aliases, expected fewer`);
    }
    const anchored = this.#anchors.get(node.source);
    if (anchored === undefined || anchored.open) {
      const what = anchored === undefined ? "an unknown anchor" : "a value that contains it";
      this.#report(node, where.trail, `alias ${quoted(node.source)} refers to ${what}`);
      return null;
    }
    this.#targets.set(node, anchored.node);
    this.#nodes += anchored.size - 1;
    if (this.#nodes > yamlNodesMax) {
      const message = `more than ${yamlNodesMax} values, aliases counted, expected fewer`;
      return this.#abandon(node, where, message);
    }
    return anchored.value;
  }

  #map(node: CollectionNode<PairNode>, { trail, depth }: Where): Json {
    if (node.items.length === 1 && this.kinds.isMap(node.items[0]?.key)) {
      const message = `{{ without quotes is a map in a map to YAML, expected text${quoteHint}`;
      this.#report(node, trail, message);
      return templateMeant;
    }
    const map: { [key: string]: Json } = {};
    for (const pair of node.items) {
      if (this.#isMerge(pair.key)) continue;
      const key = this.#key(pair.key, trail);
      if (key === undefined) continue;
      const at: Trail = { parent: trail, key };
      const value = this.#read(pair.value, { trail: at, depth: depth + 1 });
      if (Object.hasOwn(map, key)) {
        const message = `a second key ${quoted(key)} in one map, expected each key once`;
        this.#report(pair.key, at, message);
      } else put(map, key, value);
    }
    for (const pair of node.items) {
      if (this.#isMerge(pair.key)) this.#merge(map, pair, { trail, depth });
    }
    return map;
  }

  /** `<<: *defaults`: keys that the map itself doesn't have; of several maps the first one wins. */
  #merge(map: { [key: string]: Json }, pair: PairNode, { trail, depth }: Where): void {
    const at: Trail = { parent: trail, key: "<<" };
    const value = this.#read(pair.value, { trail: at, depth: depth + 1 });
    for (const source of Array.isArray(value) ? value : [value]) {
      if (typeof source !== "object" || source === null || Array.isArray(source)) {
        this.#report(pair.key, at, "'<<' merges something else, expected a map or a list of maps");
        continue;
      }
      for (const [key, item] of Object.entries<Json>(source)) {
        if (!Object.hasOwn(map, key)) put(map, key, item);
      }
    }
  }

  #mergeSources(map: CollectionNode<PairNode>): readonly CollectionNode<PairNode>[] {
    return map.items
      .filter((pair) => this.#isMerge(pair.key))
      .flatMap((pair) => {
        const node = this.#target(pair.value);
        return this.kinds.isSeq(node) ? node.items.map((item) => this.#target(item)) : [node];
      })
      .filter(this.kinds.isMap);
  }

  #isMerge(key: unknown): boolean {
    return this.kinds.isScalar(key) && key.value === "<<" && key.type === "PLAIN";
  }

  #key(key: unknown, trail: Trail | undefined): string | undefined {
    const anchor = this.#anchorOf(key);
    if (anchor !== undefined) this.#read(key, { trail, depth: 0 });
    if (this.kinds.isAlias(key)) this.#read(key, { trail, depth: 0 });
    const text = this.#keyText(key);
    if (text === undefined) {
      const collection = this.kinds.isMap(key) || this.kinds.isSeq(key);
      const found = collection ? "a map or list as a key" : "an empty key";
      this.#report(key, trail, `${found}, expected text${collection ? quoteHint : ""}`);
    }
    return text;
  }

  /** Keys are text: a number or boolean counts as it is written. */
  #keyText(key: unknown): string | undefined {
    const node = this.#target(key);
    if (!this.kinds.isScalar(node)) return undefined;
    if (typeof node.value === "string") return node.value;
    return node.source === undefined || node.source === "" ? undefined : node.source;
  }

  #scalar(node: ScalarNode, trail: Trail | undefined): Json {
    const { value } = node;
    if (typeof value === "number") return this.#numeric(value, node, trail);
    if (typeof value === "string") {
      if (!value.isWellFormed()) {
        this.#report(node, trail, "text with half of a surrogate pair, expected whole characters");
      }
      return value;
    }
    return typeof value === "boolean" ? value : null;
  }

  #numeric(value: number, node: ScalarNode, trail: Trail | undefined): Json {
    if (!Number.isFinite(value)) {
      this.#report(
        node,
        trail,
        `${quoted(node.source ?? "")} is no JSON number, expected a finite one`,
      );
      return 0;
    }
    const written = node.source ?? "";
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
    if (!/^[-+]?(?:0x[0-9a-f]+|0o[0-7]+|[0-9]+)$/i.test(written)) return value;
    const kept = written.replace(/^\+/, "");
    const message = `integer ${quoted(kept)} is beyond 2^53 and is kept as text`;
    this.findings.warn(trail, `${message}; write it in quotes`, {
      at: "source",
      offset: node.range?.[0] ?? 0,
    });
    return decimal(kept);
  }

  #anchorOf(node: unknown): string | undefined {
    const { isMap, isScalar, isSeq } = this.kinds;
    return isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
  }

  #report(node: unknown, trail: Trail | undefined, message: string): void {
    this.findings.error(trail, message, { at: "source", offset: this.startOf(node) });
  }

  #abandon(node: unknown, { trail }: Where, message: string): never {
    this.#report(node, trail, message);
    throw new Abandoned(message);
  }

  /** Where a node begins in the source; 0 for a node that the source doesn't hold. */
  startOf(node: unknown): number {
    const { isAlias, isMap, isScalar, isSeq } = this.kinds;
    const known = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
    return known ? (node.range?.[0] ?? 0) : 0;
  }
}

/** `__proto__` is a key like any other: defined, never assigned. */
function put(map: { [key: string]: Json }, key: string, value: Json): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else map[key] = value;
}

/** An integer of any size in decimal digits. */
function decimal(written: string): string {
  const negative = written.startsWith("-");
  const digits = BigInt(negative ? written.slice(1) : written).toString();
  return negative ? `-${digits}` : digits;
}
