// Chance that can be had again: the schedule of a storm follows from its seed alone.

export interface StormRandom {
  /** From 0 to `below` - 1. */
  int(below: number): number;
  between(low: number, high: number): number;
  shuffled<Item>(items: readonly Item[]): readonly Item[];
}

/** The numbers of a seed (mulberry32); the same everywhere. */
export function stormRandom(seed: number): StormRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    between: (low, high) => low + next() * (high - low),
    shuffled: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .sort((left, right) => left.place - right.place)
        .map(({ item }) => item),
  };
}
