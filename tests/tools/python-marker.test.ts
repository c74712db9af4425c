// The end of one call's output is found however the bytes are cut into chunks.

import { expect, test } from "bun:test";
import { markedText } from "#worker/tools/python-marker";

const marker = "\0mark\n";

/** What is given out before the flush, and what in all. */
function split(chunks: readonly string[]): { before: string; all: string; ended: boolean } {
  let text = "";
  const marked = markedText(marker, (bytes) => {
    text += Buffer.from(bytes).toString();
  });
  for (const chunk of chunks) marked.write(Buffer.from(chunk));
  const before = text;
  marked.flush();
  return { before, all: text, ended: marked.ended };
}

test("output ends at the marker, wherever three chunks are cut", () => {
  for (const output of ["", "plain", "a\0b\0", "\0mark", "\0\0mar", "\0mark\0mark"]) {
    const whole = `${output}${marker}`;
    for (let one = 0; one <= whole.length; one++) {
      for (let two = one; two <= whole.length; two++) {
        const chunks = [whole.slice(0, one), whole.slice(one, two), whole.slice(two)];
        expect(split(chunks)).toEqual({ before: output, all: output, ended: true });
      }
    }
  }
});

test("without a marker everything is given out, all but its possible beginning at once", () => {
  expect(split(["plain ", "text"])).toEqual({
    before: "plain text",
    all: "plain text",
    ended: false,
  });
  expect(split(["text\0ma"])).toEqual({ before: "text", all: "text\0ma", ended: false });
  expect(split(["text\0ma", "x"])).toEqual({ before: "text\0max", all: "text\0max", ended: false });
});

test("what follows the marker belongs to nobody", () => {
  expect(split([`a${marker}late`, "later"])).toEqual({ before: "a", all: "a", ended: true });
});
