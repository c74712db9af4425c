// Every two operations on one command, in every order, from every standing of its row: one after
// the other, and with the first one's commit held back while the second begins.
import { describe, expect, test } from "bun:test";
import { type Act, acts, beginnings } from "./model.ts";
import { stage } from "./sessions.ts";
import { differences } from "./steps.ts";

const on = stage();

for (const first of acts) {
  describe(`${first} comes first, and`, () => {
    for (const second of acts) {
      test(`${second} finds it done, open or undone as the table says`, async () => {
        expect(await differences(on(), [first, second], beginnings)).toEqual([]);
      }, 30_000);
    }
  });
}

// Appends of several executions at once are another statement than those of one.
const inCompany = stage({ inCompany: true });
const appends: readonly Act[] = ["settle", "cancel", "reissue", "park"];

for (const first of acts) {
  describe(`in company, ${first} comes first, and`, () => {
    for (const second of acts) {
      if (!appends.includes(first) && !appends.includes(second)) continue;
      test(`${second} finds it done, open or undone as the table says`, async () => {
        expect(await differences(inCompany(), [first, second], beginnings)).toEqual([]);
      }, 30_000);
    }
  });
}
