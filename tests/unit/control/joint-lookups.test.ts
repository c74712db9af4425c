// Lookups that come together share one that begins after each of them has asked.

import { expect, test } from "bun:test";
import { jointLookups } from "#control/services/joint-lookups";

/** Looks that end when they are told to, with what is true when they began. */
function heldLooks() {
  let truth = 0;
  const ends: (() => void)[] = [];
  const look = (): Promise<number> => {
    const seen = truth;
    return new Promise((resolve) => ends.push(() => resolve(seen)));
  };
  return { look, ends, change: () => void truth++ };
}

test("those that come while one is under way share the next, and see what was true after asking", async () => {
  const { look, ends, change } = heldLooks();
  const lookup = jointLookups(look);
  const first = lookup("a");
  change();
  const later = [lookup("a"), lookup("a"), lookup("a")];
  ends[0]?.();
  expect(await first).toBe(0);
  while (ends.length < 2) await Promise.resolve();
  ends[1]?.();

  expect(await Promise.all(later)).toEqual([1, 1, 1]);
  expect(ends.length).toBe(2);
});

test("different keys don't wait for each other, and an ended lookup is nobody's answer any more", async () => {
  const { look, ends, change } = heldLooks();
  const lookup = jointLookups(look);
  const one = lookup("a");
  const other = lookup("b");
  expect(ends.length).toBe(2);
  for (const end of ends) end();
  expect(await Promise.all([one, other])).toEqual([0, 0]);
  change();
  const anew = lookup("a");
  ends[2]?.();

  expect(await anew).toBe(1);
});

test("a lookup that fails costs those that wait for the next one nothing", async () => {
  const answers = [Promise.reject(new Error("away")), Promise.resolve("there")];
  const lookup = jointLookups(() => answers.shift() ?? Promise.resolve("more"));
  const first = lookup("a");
  const second = lookup("a");

  expect(await first.catch((thrown: Error) => thrown.message)).toBe("away");
  expect(await second).toBe("there");
});
