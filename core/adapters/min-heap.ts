// A binary min-heap: the smallest of many in logarithmic time. It knows no removal from the
// middle; owners drop entries that no longer hold when they come up.

export interface MinHeap<Item> {
  push(item: Item): void;
  /** The smallest item, left in place. */
  peek(): Item | undefined;
  pop(): Item | undefined;
}

/** An empty heap; `before(a, b)` says that `a` is strictly smaller than `b`. */
export function minHeap<Item>(before: (a: Item, b: Item) => boolean): MinHeap<Item> {
  const items: Item[] = [];

  const rise = (item: Item, from: number): void => {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !before(item, parent)) break;
      items[place] = parent;
      place = above;
    }
    items[place] = item;
  };

  const sink = (item: Item): void => {
    let place = 0;
    for (;;) {
      const left = items[2 * place + 1];
      const right = items[2 * place + 2];
      if (left === undefined) break;
      const rightIsSmaller = right !== undefined && before(right, left);
      const child = rightIsSmaller ? right : left;
      if (!before(child, item)) break;
      items[place] = child;
      place = 2 * place + (rightIsSmaller ? 2 : 1);
    }
    items[place] = item;
  };

  return {
    push: (item) => {
      items.push(item);
      rise(item, items.length - 1);
    },
    peek: () => items[0],
    pop: () => {
      const top = items[0];
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
      return top;
    },
  };
}
