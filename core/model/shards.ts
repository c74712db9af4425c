// Which replica an execution belongs to. Executions fall into fixed virtual shards, and shards onto
// the members that are there by rendezvous: who joins or leaves moves only its own share. Every
// process that knows the same names makes the same map.

import { xxh64 } from "./xxh64.ts";

/** Never changed: it is part of what processes of several versions agree upon. */
export const shardsTotal = 256;

export interface ShardMap {
  /** 16 hexadecimal digits that stand for the set of members. */
  readonly epoch: string;
  /** Names, sorted by their UTF-16 code units, each once. */
  readonly members: readonly string[];
  /** For each shard the place of its owner in `members`; empty without members. */
  readonly owners: readonly number[];
}

/** The shard of an execution, 0 to 255, by its decimal id. @throws SyntaxError for other text. */
export function shardOf(executionId: string): number {
  return Number(xxh64(BigInt(executionId)) & BigInt(shardsTotal - 1));
}

/** The map of the shards onto these members, in whatever order they are named. */
export function shardMap(names: readonly string[]): ShardMap {
  const members = [...new Set(names)].sort();
  const hashes = members.map(textHash);
  const owners = members.length === 0 ? [] : spreadShards.map((shard) => heaviest(hashes, shard));
  return { epoch: epochOf(members), members, owners };
}

/** Shard numbers far apart from each other, so that a name's hash meets each in its own way. */
const spreadShards: readonly bigint[] = Array.from({ length: shardsTotal }, (_, shard) =>
  xxh64(BigInt(shard)),
);

/** The member whose weight for the shard is largest; the first of equal ones. */
function heaviest(hashes: readonly bigint[], shard: bigint): number {
  let owner = 0;
  let most = -1n;
  for (const [index, hash] of hashes.entries()) {
    const weight = xxh64(hash ^ shard);
    if (weight <= most) continue;
    owner = index;
    most = weight;
  }
  return owner;
}

function epochOf(members: readonly string[]): string {
  return textHash(JSON.stringify(members)).toString(16).padStart(16, "0");
}

const unitsPerWord = 4;
const bitsPerUnit = 16n;

/** Chained over words of four code units; the length comes first, so that no padding is a text. */
function textHash(text: string): bigint {
  let hash = xxh64(BigInt(text.length));
  for (let start = 0; start < text.length; start += unitsPerWord) {
    let word = 0n;
    for (let at = start; at < Math.min(start + unitsPerWord, text.length); at++) {
      word = (word << bitsPerUnit) | BigInt(text.charCodeAt(at));
    }
    hash = xxh64(hash ^ word);
  }
  return hash;
}
