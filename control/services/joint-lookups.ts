// Lookups that many ask for at once: those that come while one is under way share the next, which
// begins after each of them has asked. So nobody is told what was true before asking.

/** The same lookup, at most one at a time for each key; what is asked for is its own key if it may. */
export function jointLookups<Asked, Value>(
  look: (asked: Asked) => Promise<Value>,
  keyOf: (asked: Asked) => string = String,
): (asked: Asked) => Promise<Value> {
  const running = new Map<string, Promise<Value>>();
  const waiting = new Map<string, Promise<Value>>();
  const start = (key: string, asked: Asked): Promise<Value> => {
    const lookup = look(asked).finally(() => running.delete(key));
    running.set(key, lookup);
    return lookup;
  };
  return (asked) => {
    const key = keyOf(asked);
    const current = running.get(key);
    if (current === undefined) return start(key, asked);
    const shared = waiting.get(key);
    if (shared !== undefined) return shared;
    const next = current
      .catch(() => undefined)
      .then(() => {
        waiting.delete(key);
        return start(key, asked);
      });
    waiting.set(key, next);
    return next;
  };
}
