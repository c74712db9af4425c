// The graph of steps and arcs: who leads to whom, which arcs lie on cycles, and what can still
// reach a place. Reachability is worked out on first use and kept, so that a plan of thousands
// of steps compiles fast and an execution pays only for the joins it meets.

/** A set of step indexes. */
export class StepSet {
  readonly #words: Uint32Array;

  constructor(size: number) {
    this.#words = new Uint32Array((size + 31) >>> 5);
  }

  add(index: number): void {
    const word = index >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (index & 31));
  }

  has(index: number): boolean {
    return ((this.#words[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
  }
}

export class Graph {
  readonly size: number;
  /** Targets of each step, distinct, in arc order. */
  readonly targets: readonly (readonly number[])[];
  /** Sources of each step, distinct, in document order. */
  readonly sources: readonly (readonly number[])[];
  readonly #component: Int32Array;
  readonly #reaching = new Map<string, StepSet>();

  constructor(targets: readonly (readonly number[])[]) {
    this.size = targets.length;
    this.targets = targets.map((list) => [...new Set(list)]);
    const sources: number[][] = targets.map(() => []);
    this.targets.forEach((list, from) => {
      for (const to of list) sources[to]?.push(from);
    });
    this.sources = sources;
    this.#component = components(this.targets);
  }

  /** True if the arc lies on a cycle: its target can lead back to its source. */
  onCycle(from: number, to: number): boolean {
    return from === to || this.#component[from] === this.#component[to];
  }

  /** The steps from which `goal` can be reached without passing through `avoided`; goal itself too. */
  reaching(goal: number, avoided: number | undefined): StepSet {
    const key = `${goal}/${avoided ?? ""}`;
    const known = this.#reaching.get(key);
    if (known !== undefined) return known;
    const found = new StepSet(this.size);
    const open = [goal];
    found.add(goal);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const source of this.sources[at] ?? []) {
        if (source === avoided || found.has(source)) continue;
        found.add(source);
        open.push(source);
      }
    }
    this.#reaching.set(key, found);
    return found;
  }
}

/**
 * Strongly connected components by Tarjan's algorithm, without recursion: a chain of thousands
 * of steps must not meet the limit of the call stack.
 */
function components(targets: readonly (readonly number[])[]): Int32Array {
  const size = targets.length;
  const order = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const component = new Int32Array(size).fill(-1);
  const stack: number[] = [];
  const path: { readonly step: number; next: number }[] = [];
  let counter = 0;
  let componentCount = 0;

  const open = (step: number): void => {
    order[step] = counter;
    low[step] = counter;
    counter++;
    stack.push(step);
    path.push({ step, next: 0 });
  };
  const close = (step: number): void => {
    path.pop();
    const parent = path.at(-1);
    if (parent !== undefined) {
      low[parent.step] = Math.min(low[parent.step] ?? 0, low[step] ?? 0);
    }
    if (low[step] !== order[step]) return;
    for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
      component[member] = componentCount;
      if (member === step) break;
    }
    componentCount++;
  };

  for (let root = 0; root < size; root++) {
    if (order[root] !== -1) continue;
    open(root);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const target = targets[at.step]?.[at.next++];
      if (target === undefined) close(at.step);
      else if (order[target] === -1) open(target);
      else if (component[target] === -1) {
        low[at.step] = Math.min(low[at.step] ?? 0, order[target] ?? 0);
      }
    }
  }
  return component;
}
