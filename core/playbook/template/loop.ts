// What templates see as `loop` inside a for, and the namespaces that outlive a body.

import { ownOf, setOwn } from "./access.ts";
import { Callee, type Given } from "./callee.ts";
import { View } from "./contract.ts";
import { fail, type Run } from "./run.ts";
import { equals } from "./values.ts";

/** Runs a recursive loop again, over other items. */
export interface Recursion {
  /** How many runs are around the one whose loop has this. */
  readonly depth: number;
  readonly again: (items: unknown, run: Run) => string;
}

/** The state of one running loop; mutable on purpose, one for all of its rounds. */
export class Loop extends Callee {
  index = 0;
  #last: readonly unknown[] | undefined;

  constructor(
    readonly items: readonly unknown[],
    readonly recursion: Recursion | undefined,
  ) {
    super("<LoopContext>", (name) => this.#attribute(name));
  }

  /** `loop(items)`: what the loop prints for those items. */
  call({ positional, named }: Given, run: Run): string {
    if (this.recursion === undefined) {
      return fail(run, "type", "only a loop marked 'recursive' can be called");
    }
    if (positional.length !== 1 || named.length > 0) {
      return fail(run, "type", "a recursive loop is called with one argument, the items");
    }
    return this.recursion.again(positional[0], run);
  }

  /** `loop.cycle(a, b)`: the value whose turn it is. */
  cycle(values: readonly unknown[], run: Run): unknown {
    if (values.length === 0) fail(run, "range", "loop.cycle() needs at least one value");
    return values[this.index % values.length];
  }

  /** `loop.changed(a)`: whether the values differ from those of the last call. */
  changed(values: readonly unknown[], run: Run): boolean {
    const same = this.#last !== undefined && equals(this.#last, values, run);
    this.#last = values;
    return !same;
  }

  #attribute(name: string): unknown {
    const { index, items } = this;
    switch (name) {
      case "index":
        return index + 1;
      case "index0":
        return index;
      case "revindex":
        return items.length - index;
      case "revindex0":
        return items.length - index - 1;
      case "first":
        return index === 0;
      case "last":
        return index === items.length - 1;
      case "length":
        return items.length;
      case "previtem":
        return items[index - 1];
      case "nextitem":
        return items[index + 1];
      case "depth":
        return 1 + (this.recursion?.depth ?? 0);
      case "depth0":
        return this.recursion?.depth ?? 0;
      default:
        return undefined;
    }
  }
}

/** What `namespace()` makes: the one value that a template can write to. */
export class Namespace extends View {
  readonly #record: Record<string, unknown>;

  constructor(entries: Iterable<readonly [string, unknown]>) {
    const record: Record<string, unknown> = {};
    for (const [name, value] of entries) setOwn(record, name, value);
    super(record, (name) => ownOf(record, name));
    this.#record = record;
  }

  set(name: string, value: unknown): void {
    setOwn(this.#record, name, value);
  }
}
