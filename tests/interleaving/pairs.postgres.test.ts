// Every two operations on one command, in every order, from every standing of its row: one after
// the other, and with the first one's commit held back while the second begins.
import { describe, expect, test } from "bun:test";
import { acts, beginnings } from "./model.ts";
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
