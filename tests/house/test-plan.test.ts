// Holds the plan of a test run to the files that there are, and to running each of them once.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";
import { planned, plannedPaths, timings } from "#scripts/test-plan";

test("every file and folder that the plan names exists", () => {
  expect(plannedPaths.filter((path) => !existsSync(join(repositoryRoot, path)))).toEqual([]);
});

test("every file is in one part of the run", () => {
  const files = [...new Bun.Glob("tests/**/*.test.ts").scanSync({ cwd: repositoryRoot })];

  const { shared, waiting, alone } = planned(files);

  expect([...shared, ...waiting, ...alone].sort()).toEqual(files.sort());
  expect(shared).toContain("tests/house/test-plan.test.ts");
  expect(waiting).toContain("tests/faults/storm.test.ts");
  expect(alone).toContain("tests/tools/transfer-memory.test.ts");
});

test("a file that is known to take long is said to take longer than one that is not", () => {
  const { version, files } = JSON.parse(timings(["tests/embedded/dev.test.ts", "tests/a.test.ts"]));

  expect(version).toBe(1);
  expect(files["tests/embedded/dev.test.ts"]).toBeGreaterThan(files["tests/a.test.ts"]);
});
