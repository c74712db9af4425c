// A disk of outcomes: what was kept survives the worker that kept it, and what was under way when
// it died may or may not be there.

import type { Outcome } from "#core/model/outcome";
import type { Spool } from "#worker/spool";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export type Disk = Map<string, string>;

const keyOf = (of: { readonly command_id: string; readonly attempt: number }): string =>
  `${of.attempt} ${of.command_id}`;

export interface SpoolOptions {
  readonly time: Timeline;
  readonly chance: Random;
  readonly owner: Process;
}

/** The spool of one life of a worker, on the disk that all its lives share. */
export function durableSpool(disk: Disk, { time, chance, owner }: SpoolOptions): Spool {
  const write = <Result>(act: () => Result): Promise<Result> =>
    new Promise((resolve) => {
      time.after(
        chance.scale(0.1, 10),
        () => {
          const result = act();
          time.after(0.1, () => resolve(result), owner);
        },
        owner,
      );
    });
  return {
    // What is written is text: nothing that comes back is the object that went in.
    load: () => write(() => [...disk.values()].map((text) => JSON.parse(text) as Outcome)),
    keep: (outcomes) =>
      write(() => {
        for (const outcome of outcomes) disk.set(keyOf(outcome), JSON.stringify(outcome));
      }),
    drop: (keys) =>
      write(() => {
        for (const key of keys) disk.delete(keyOf(key));
      }),
  };
}
