// The page of error codes names every kind of failure that the code can record.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { failureKinds, generate } from "#scripts/generate-error-codes";
import { repositoryRoot } from "#scripts/install";

const inObject =
  /(?:ToolFailure\(\s*\{|Failure = \{|error: \{|return \{(?= kind: "\w+", code, message))\s*kind: "([a-z_]+)"/g;
const inCall = /\bfailure\(\s*"([a-z_]+)"/g;

/** Tools call their own codes by a function of that name: only their objects name kinds. */
const places: readonly (readonly [string, readonly RegExp[]])[] = [
  ["core/engine/*.ts", [inObject, inCall]],
  ["control/**/*.ts", [inObject, inCall]],
  ["worker/*.ts", [inObject, inCall]],
  ["worker/tools/*.ts", [inObject]],
];

/** Stores of objects fail under their own kind, which their code has in a variable. */
const named = ["s3", "gcs"];

async function kindsInCode(): Promise<ReadonlySet<string>> {
  const kinds = new Set<string>(named);
  for (const [glob, patterns] of places) {
    for await (const path of new Bun.Glob(glob).scan({ cwd: repositoryRoot })) {
      const text = await Bun.file(join(repositoryRoot, path)).text();
      for (const [, kind] of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
        if (kind !== undefined) kinds.add(kind);
      }
    }
  }
  return kinds;
}

test("every kind of failure in the code is on the page, and none that isn't", async () => {
  const kinds = [...(await kindsInCode())].sort();
  expect(kinds.length).toBeGreaterThan(20);
  expect(kinds).toEqual(Object.keys(failureKinds).sort());
});

test("the page in the repository is what the code makes", async () => {
  for (const { path, text } of generate()) {
    expect(await Bun.file(join(repositoryRoot, path)).text()).toBe(text);
  }
});
