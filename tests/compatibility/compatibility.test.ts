// Proves the rows of the compatibility page one by one: each is a test named after it, and the page
// is made of the same rows.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parsePlaybook } from "#core/playbook/parse";
import { generate } from "#scripts/generate-compatibility";
import { repositoryRoot } from "#scripts/install";
import { rows } from "./all-rows.ts";
import type { Proof, Row } from "./row.ts";
import { missing, rendered, startWorld, type World } from "./world.ts";

const read = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8");

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

async function prove(proof: Proof): Promise<void> {
  switch (proof.kind) {
    case "run": {
      const run = await world.run(proof);
      expect(proof.look(run)).toEqual(proof.is);
      return;
    }
    case "refused": {
      const parsing = parsePlaybook(proof.playbook);
      const problems = parsing.ok ? [] : parsing.problems.map(({ message }) => message);
      expect(problems.join("\n")).toContain(proof.message);
      return;
    }
    case "accepted": {
      const parsing = parsePlaybook(proof.playbook);
      expect(parsing.ok ? [] : parsing.problems).toEqual([]);
      const warnings = parsing.warnings.map(({ message }) => message);
      if (proof.warning === undefined) expect(warnings).toEqual([]);
      else expect(warnings.join("\n")).toContain(proof.warning);
      return;
    }
    case "template":
      expect(rendered(proof)).toEqual(proof.value);
      return;
    case "test":
      expect(testNames(proof.file)).toContain(proof.name);
      return;
    default:
      return proof satisfies never;
  }
}

/** The names of the tests of a file, as they are written there. */
function testNames(file: string): readonly string[] {
  const calls = read(file).matchAll(/\btest(?:\.\w+\([^\n]*\))?\(\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g);
  return [...calls].map(([, name = ""]) =>
    name.startsWith('"') ? (JSON.parse(name) as string) : name.slice(1, -1),
  );
}

const title = ({ names, verdict }: Row): string => `${names.join(", ")}: ${verdict}`;
const need = ({ proof }: Row) => (proof.kind === "run" ? proof.needs : undefined);

for (const area of new Set(rows.map((row) => row.area))) {
  describe(area, () => {
    for (const row of rows.filter((one) => one.area === area)) {
      // A row whose program is not on this machine shows as skipped, by its name.
      test.skipIf(missing(need(row)) !== undefined)(title(row), () => prove(row.proof));
    }
  });
}

describe("the page", () => {
  test("says why what is different is so, and what to write for what is refused", () => {
    for (const { names, verdict, why, use } of rows) {
      expect([names[0], why !== undefined, use !== undefined]).toEqual([
        names[0],
        verdict === "different",
        verdict === "refused",
      ]);
    }
  });

  test("calls refused only what a refusal proves", () => {
    const others = rows.filter(
      ({ verdict, proof }) =>
        verdict === "refused" && proof.kind !== "refused" && proof.kind !== "test",
    );
    expect(others.map(title)).toEqual([]);
  });

  test("is made of these rows; `bun scripts/generate-compatibility.ts` writes it", async () => {
    for (const { path, text } of await generate()) expect(read(path)).toBe(text);
  });
});
