// Holds the reader of csv to one reading of a file, wherever its bytes are cut.

import { describe, expect, test } from "bun:test";

import { csvReader } from "#worker/tools/transfer-csv";
import { decodedRows, encodedRow, type TextRow, wholeRows } from "#worker/tools/transfer-rows";

const content = Buffer.from(
  '\ufeffid,"na""me",note\r\n1,"grüße, ""x""\r\n",\r\n\r\n2,日本,""\n3,a"b,"c"\r\n4,last,row',
);
const rows = [
  ["1", 'grüße, "x"\r\n', null],
  ["2", "日本", ""],
  ["3", 'a"b', "c"],
  ["4", "last", "row"],
];

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size: number) {
  const problems: string[] = [];
  const bad = (problem: string): void => void problems.push(problem);
  const reader = await csvReader(cut(bytes, size), { delimiter: ",", encoding: "utf8", bad });
  const found: TextRow[] = [];
  for await (const batch of reader.batches()) found.push(...batch);
  return { names: reader.names, rows: found, problems };
}

describe("csv", () => {
  test("reads the same however its bytes are cut", async () => {
    for (const size of [1, 2, 3, 5, 7, 11, content.length]) {
      const found = await read(content, size);
      expect(found).toEqual({ names: ["id", 'na"me', "note"], rows, problems: [] });
    }
  });

  test("tells lines and bytes of the whole file, not of the part that is read", async () => {
    const start = `a,b\n${'1,"x\ny"\n'.repeat(3)}`;
    const bytes = Buffer.concat([
      Buffer.from(`${start}2,ü`),
      Buffer.from([0xff]),
      Buffer.from("\n3\n"),
    ]);
    for (const size of [1, 4, bytes.length]) {
      const { problems } = await read(bytes, size);
      expect(problems).toEqual([
        `line 8: byte ${start.length + 4} of the file is not UTF-8`,
        "line 9: expected 2 fields, found 1",
      ]);
    }
  });
});

describe("rows on their way", () => {
  test("come out as they went in, however their bytes are cut", async () => {
    const given = [
      ["", null],
      ["\\N", "a,b"],
      ['"', "\n"],
      ["\r\n", "日本"],
      ["\\", "x"],
    ];
    const bytes = Buffer.from(given.map(encodedRow).join(""));
    for (const size of [1, 3, bytes.length]) {
      const found: TextRow[] = [];
      for await (const block of wholeRows(cut(bytes, size))) {
        const decoded = [...decodedRows(block)];
        expect(decoded).toHaveLength(block.rows);
        found.push(...decoded);
      }
      expect(found).toEqual(given);
    }
  });
});
