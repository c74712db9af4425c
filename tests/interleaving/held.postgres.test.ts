// Statements that wait in the middle: whatever was changed meanwhile, what they say and do is what
// they would have said and done in some order; and no two wait for each other.
import { describe, expect, test } from "bun:test";
import { crossing, type Held, stoppedAt, threeAtOnce } from "./held.ts";
import { type Act, acts, type Shape } from "./model.ts";
import { stage } from "./sessions.ts";

const on = stage();

/** Who can be made to wait where. */
const stops: readonly (readonly [Held, Act])[] = [
  ...(["renew", "release", "settle", "cancel", "reissue", "park"] as const).map(
    (act) => ["command", act] as const,
  ),
  ...(["settle", "cancel", "reissue", "park"] as const).map((act) => ["execution", act] as const),
  ["liveness", "sweep"],
];
const shapes: readonly Shape[] = ["ready", "leased", "late", "unheard", "timer"];

for (const [held, first] of stops) {
  test(`${first}, stopped at the ${held}, sees what has happened beyond it`, async () => {
    let stopped = 0;
    for (const second of acts) {
      for (const shape of shapes) {
        const wrong = await stoppedAt(on(), held, [first, second], shape);
        if (wrong !== undefined) stopped += 1;
        expect(wrong ?? []).toEqual([]);
      }
    }
    expect(stopped).toBeGreaterThanOrEqual(acts.length);
  }, 30_000);
}

describe("nobody waits for ever:", () => {
  const waiting: readonly Act[] = ["renew", "release", "settle", "reissue", "park"];
  for (const first of waiting) {
    test(`${first} and others name two commands in any order`, async () => {
      const wrong: string[] = [];
      for (const second of waiting) {
        for (const one of ["up", "down"] as const) {
          for (const other of ["up", "down"] as const) {
            for (const held of [0, 1] as const) {
              const order = { first: one, second: other, held };
              const found = await crossing(on(), [first, second], order);
              wrong.push(...found.map((difference) => `${second}, ${difference}`));
            }
          }
        }
      }
      expect(wrong).toEqual([]);
    }, 30_000);
  }
});

describe("three at once:", () => {
  const those: readonly Act[] = [
    ...(["claim", "renew", "release", "sweep"] as const),
    ...(["settle", "cancel", "reissue"] as const),
  ];
  for (const first of those) {
    test(`${first} and any two that begin before it ends`, async () => {
      const wrong: string[] = [];
      for (const second of those) {
        for (const third of those) {
          wrong.push(...(await threeAtOnce(on(), [first, second, third], "late")));
        }
      }
      expect(wrong).toEqual([]);
    }, 30_000);
  }
});
