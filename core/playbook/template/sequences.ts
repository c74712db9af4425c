// What `cycler` and `joiner` make: values with a turn, for whoever prints several loops.

import { Callee, type Given } from "./callee.ts";
import { View } from "./contract.ts";
import { fail, type Run } from "./run.ts";

/** `cycler(a, b)`: `next()` gives the items in turn, `current` the one that is next. */
export class Cycler extends View {
  #at = 0;

  constructor(readonly items: readonly unknown[]) {
    super("<Cycler>", (name) => (name === "current" ? items[this.#at] : undefined));
  }

  next(): unknown {
    const item = this.items[this.#at];
    this.#at = (this.#at + 1) % this.items.length;
    return item;
  }

  reset(): null {
    this.#at = 0;
    return null;
  }
}

/** `joiner(sep)`: called, it gives nothing the first time and the separator ever after. */
export class Joiner extends Callee {
  #used = false;

  constructor(readonly separator: unknown) {
    super("<Joiner>", () => undefined);
  }

  call({ positional, named }: Given, run: Run): unknown {
    if (positional.length + named.length > 0) fail(run, "type", "a joiner takes no arguments");
    const used = this.#used;
    this.#used = true;
    return used ? this.separator : "";
  }
}
