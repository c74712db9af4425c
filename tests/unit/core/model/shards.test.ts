// Shards: the hash agrees with other languages, and members that come and go move only their share.
import { describe, expect, test } from "bun:test";
import { assert, integer, property, uniqueArray } from "fast-check";
import { snowflake, snowflakeEpochMs } from "#core/model/ids";
import { shardMap, shardOf, shardsTotal } from "#core/model/shards";
import { xxh64 } from "#core/model/xxh64";

describe("XXH64 of an integer", () => {
  // The vectors of the wire reference, §8.
  const vectors: readonly (readonly [value: bigint, hash: bigint, of16: bigint])[] = [
    [0n, 0x34c96acdcadb1bbbn, 11n],
    [1n, 0x9f29cb17a2a49995n, 5n],
    [42n, 0xb556806fb6d14353n, 3n],
    [320816801799737344n, 0x7c38cb2fcd528aben, 14n],
    [2n ** 63n - 1n, 0xff70cc60366e770cn, 12n],
    [-1n, 0x85d136adb773c6c9n, 9n],
  ];

  for (const [value, hash, of16] of vectors) {
    test(`of ${value} is ${hash.toString(16)}`, () => {
      expect(xxh64(value)).toBe(hash);
      expect(xxh64(value) % 16n).toBe(of16);
    });
  }

  test("is what the runtime's own implementation gives, for any integer", () => {
    const bytes = new DataView(new ArrayBuffer(8));
    const words = integer({ min: 0, max: 0xffff_ffff });
    assert(
      property(words, words, (high, low) => {
        const value = (BigInt(high) << 32n) | BigInt(low);
        bytes.setBigUint64(0, value, true);
        expect(xxh64(value)).toBe(Bun.hash.xxHash64(new Uint8Array(bytes.buffer), 0n));
      }),
    );
  });
});

const ids = Array.from({ length: 10_000 }, (_, n) =>
  snowflake({
    timeMs: snowflakeEpochMs + 60_000_000_000 + Math.floor(n / 10),
    machine: 7,
    sequence: n % 10,
  }),
);

describe("shards of executions", () => {
  test("10,000 ids in a row spread over 16 parts within 20 %", () => {
    const parts = Array.from({ length: 16 }, () => 0);
    for (const id of ids) {
      const part = shardOf(id) % 16;
      parts[part] = (parts[part] ?? 0) + 1;
    }
    for (const size of parts) {
      expect(size).toBeGreaterThan(500);
      expect(size).toBeLessThan(750);
    }
  });

  test("are the lowest byte of the hash", () => {
    expect(shardsTotal).toBe(256);
    expect(shardOf("320816801799737344")).toBe(0xbe);
  });
});

const names = uniqueArray(integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 12 }).map(
  (numbers) => numbers.map((number) => `replica-${number}`),
);

describe("the map of shards", () => {
  test("is the same in every process, in whatever order and how often members are named", () => {
    // Written down once: a change of it would let old and new processes disagree.
    const map = shardMap(["b-2", "a-1", "c-3", "a-1"]);
    expect(map.members).toEqual(["a-1", "b-2", "c-3"]);
    expect(map.epoch).toBe("49940bb37edb6a9e");
    expect(map.owners.slice(0, 16).join("")).toBe("2202111001202101");
    assert(
      property(names, (given) => {
        expect(shardMap([...given].reverse())).toEqual(shardMap(given));
      }),
      { numRuns: 20 },
    );
  });

  test("moves shards only to the member that joins, and only those of the one that leaves", () => {
    assert(
      property(names, (given) => {
        const [joining = "", ...before] = given;
        if (before.length === 0) return;
        const small = shardMap(before);
        const large = shardMap(given);
        for (let shard = 0; shard < shardsTotal; shard++) {
          const was = small.members[small.owners[shard] ?? -1];
          const is = large.members[large.owners[shard] ?? -1];
          if (is !== joining) expect(is).toBe(was);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("gives every member a share that is not far from even", () => {
    assert(
      property(names, (given) => {
        const { members, owners } = shardMap(given);
        const even = shardsTotal / members.length;
        for (const place of members.keys()) {
          const share = owners.filter((owner) => owner === place).length;
          // Six standard deviations: a shard falls to each member with equal chance.
          expect(Math.abs(share - even)).toBeLessThan(6 * Math.sqrt(even) + 1);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("has an epoch of its own for every set of members", () => {
    const sets = [[], ["a"], ["b"], ["a", "b"], ["ab"], ["a,b"], ["a\u0000"], ["aaaa", "b"]];
    expect(new Set(sets.map((set) => shardMap(set).epoch)).size).toBe(sets.length);
    for (const set of sets) expect(shardMap(set).epoch).toMatch(/^[0-9a-f]{16}$/);
    expect(shardMap([]).owners).toEqual([]);
  });
});
