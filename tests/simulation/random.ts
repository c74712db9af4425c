// Chance that can be had again: streams of numbers by seed and name, each independent of how often
// the others are asked, so that leaving one kind of fault out does not shift the rest.

export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  chance(likelihood: number): boolean;
  /** From 0 to `below` - 1. */
  int(below: number): number;
  between(low: number, high: number): number;
  /** Between both, each order of magnitude as likely as the next. */
  scale(low: number, high: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** A stream of its own. */
  stream(name: string): Random;
}

/** FNV-1a of a name, on top of what is known of the seed. */
function mixed(state: number, name: string): number {
  let hash = state ^ 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** The stream of a seed; the same seed gives the same numbers everywhere. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  // splitmix32: one word of state, good enough to choose faults by.
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    chance: (likelihood) => next() < likelihood,
    int,
    between: (low, high) => low + next() * (high - low),
    scale: (low, high) => low * (high / low) ** next(),
    pick: (items) => {
      const item = items[int(items.length)];
      if (item === undefined) throw new Error("expected something to pick from, found nothing");
      return item;
    },
    stream: (name) => random(mixed(seed, name)),
  };
}
