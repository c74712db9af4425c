// What templates see as `loop` inside a for, and the namespaces that outlive a body.

import { ownOf, setOwn } from "./access.ts";
import { View } from "./contract.ts";
import type { Run } from "./run.ts";
import { equals } from "./values.ts";

/** The state of one running loop; mutable on purpose, one for all of its rounds. */
export class Loop extends View {
  index = 0;
  #last: readonly unknown[] | undefined;

  constructor(readonly items: readonly unknown[]) {
    super(undefined, (name) => this.#attribute(name));
  }

  /** `loop.cycle(a, b)`: the value whose turn it is. */
  cycle(values: readonly unknown[]): unknown {
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
        return 1;
      case "depth0":
        return 0;
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
