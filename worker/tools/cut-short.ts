// Waits that one late event may end: it outlives all of them, and keeps nothing of those that are
// over. A race with a promise that stays pending holds every winner's value as long as the promise
// lives, which for the blocks of a long COPY is all the rows there are.

export interface CutShort {
  /** Ends what is waited for now, and from now on everything that is not over already. */
  cut(error: unknown): void;
  /** What comes of the work, or the error of the cut if that comes first. */
  bounded<Result>(work: Promise<Result>): Promise<Result>;
}

export function cutShort(): CutShort {
  const waiting = new Set<(error: unknown) => void>();
  let ended: { readonly error: unknown } | undefined;
  return {
    cut: (error) => {
      ended ??= { error };
      for (const reject of waiting) reject(error);
      waiting.clear();
    },
    bounded: (work) => {
      if (ended !== undefined) return Promise.race([work, Promise.reject(ended.error)]);
      return new Promise((resolve, reject) => {
        waiting.add(reject);
        work.then(resolve, reject).finally(() => waiting.delete(reject));
      });
    },
  };
}
