// Lookups that many ask for at once: those that come while one is under way share the next, which
// begins after each of them has asked. So nobody is told what was true before asking.

/** The same lookup, at most one at a time for each key. */
export function jointLookups<Value>(
  look: (key: string) => Promise<Value>,
): (key: string) => Promise<Value> {
  const running = new Map<string, Promise<Value>>();
  const waiting = new Map<string, Promise<Value>>();
  const start = (key: string): Promise<Value> => {
    const lookup = look(key).finally(() => running.delete(key));
    running.set(key, lookup);
    return lookup;
  };
  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    const shared = waiting.get(key);
    if (shared !== undefined) return shared;
    const next = current
      .catch(() => undefined)
      .then(() => {
        waiting.delete(key);
        return start(key);
      });
    waiting.set(key, next);
    return next;
  };
}
