// Runs the test command itself over small projects, one for each way a run can end, and holds its
// last line and exit code to what happened there.
import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryRoot } from "#scripts/install";
import { missingPackages } from "#scripts/system-packages";

const folder = mkdtempSync(join(tmpdir(), "noetl-house-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const head = 'import { expect, test } from "bun:test";\n';
const good = `${head}test("a", () => {});\ntest("b", () => {});\n`;

// Without these programs the command would install them, or say so, before it ran any test.
const testWithPrograms = test.skipIf(missingPackages().length > 0);

type Ended = { readonly exitCode: number; readonly lastLine: string; readonly errors: string };

async function runCommand(
  files: Readonly<Record<string, string>>,
  argv: readonly string[] = [],
): Promise<Ended> {
  const root = mkdtempSync(join(folder, "project-"));
  for (const script of ["test", "test-plan", "test-report", "install", "system-packages"]) {
    cpSync(join(repositoryRoot, `scripts/${script}.ts`), join(root, `scripts/${script}.ts`));
  }
  for (const [path, text] of Object.entries({ "package.json": "{}\n", ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const child = Bun.spawn([process.execPath, "scripts/test.ts", ...argv], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return {
    exitCode: await child.exited,
    lastLine: out.trimEnd().split("\n").at(-1) ?? "",
    errors,
  };
}

testWithPrograms(
  "succeeds when every test passed, and counts those that were skipped",
  async () => {
    const skipping = `${head}// It shows the count.\ntest.skip("c", () => {});\ntest.todo("d");\n`;

    const ended = await runCommand({ "tests/a.test.ts": good, "tests/b.test.ts": skipping });

    expect(ended).toMatchObject({ exitCode: 0, lastLine: "2 passed, 0 failed, 2 skipped" });
  },
);

testWithPrograms(
  "fails for a test, for a file that does not load, and for one without tests",
  async () => {
    const ended = await runCommand({
      "tests/a.test.ts": `${good}test("c", () => expect(1).toBe(2));\n`,
      "tests/b.test.ts": `import "./gone.ts";\n${good}`,
      "tests/c.test.ts": "export {};\n",
    });

    expect(ended).toMatchObject({ exitCode: 1, lastLine: "2 passed, 3 failed, 0 skipped" });
    expect(ended.errors).toContain("tests/b.test.ts: did not load, or holds no test");
  },
);

testWithPrograms(
  "fails when a test leaves the process, even with the code of success",
  async () => {
    const leaving = `${head}test("a", () => {});\ntest("b", () => process.exit(0));\n`;

    const ended = await runCommand({ "tests/a.test.ts": leaving });

    expect(ended).toMatchObject({ exitCode: 1, lastLine: "1 passed, 1 failed, 0 skipped" });
  },
);

testWithPrograms(
  "goes on with the other files, and counts them, when processes leave in the middle of theirs",
  async () => {
    const leaving = `${head}test("a", () => {});\ntest("b", () => process.exit(0));\n`;
    const killed = `${head}test("a", () => process.kill(process.pid, "SIGKILL"));\n`;
    const atTheEnd = `${head}test("a", () => {});\nafterAll(() => process.exit(0));\n`;

    const ended = await runCommand({
      "tests/a.test.ts": leaving,
      "tests/b.test.ts": good,
      "tests/c.test.ts": leaving,
      "tests/d.test.ts": killed,
      "tests/e.test.ts": atTheEnd.replace("{ expect", "{ afterAll, expect"),
      "tests/f.test.ts": good,
      "tests/g.test.ts": leaving,
    });

    expect(ended).toMatchObject({ exitCode: 1, lastLine: "8 passed, 5 failed, 0 skipped" });
  },
);

testWithPrograms(
  "counts the files that run beside the others, and those that run alone",
  async () => {
    const failing = `${head}test("a", () => expect(1).toBe(2));\n`;

    const ended = await runCommand({
      "tests/a.test.ts": good,
      "tests/b.test.ts": good,
      "tests/faults/c.test.ts": `${good}${failing.replace(head, "")}`,
      "tests/faults/d.test.ts": "export {};\n",
      "tests/tools/transfer-memory.test.ts": failing,
    });

    expect(ended).toMatchObject({ exitCode: 1, lastLine: "6 passed, 3 failed, 0 skipped" });
    expect(ended.errors).toContain("tests/faults/d.test.ts: did not load, or holds no test");
  },
);

testWithPrograms("fails for an error outside of any test, where every test passed", async () => {
  const late = `${head}test("a", () => void setTimeout(() => { throw new Error("late"); }, 5));\n`;
  const waiting = `${head}test("b", () => new Promise((done) => setTimeout(done, 100)));\n`;

  const alone = await runCommand({ "tests/a.test.ts": `${late}${waiting.replace(head, "")}` });
  const shared = await runCommand({
    "tests/a.test.ts": `import { afterAll } from "bun:test";\n${good}afterAll(() => { throw new Error("late"); });\n`,
    "tests/b.test.ts": good,
  });

  for (const ended of [alone, shared]) {
    expect(ended.exitCode).toBe(1);
    expect(ended.lastLine).not.toContain(" 0 failed");
  }
});

testWithPrograms(
  "fails when nothing ran: no test at all, only skipped ones, an unknown path",
  async () => {
    const skipping = `${head}test.todo("d");\n`;

    const none = await runCommand({});
    const skipped = await runCommand({ "tests/a.test.ts": skipping });
    const unknown = await runCommand({ "tests/a.test.ts": good }, ["tests/z.test.ts"]);

    expect(none).toMatchObject({ exitCode: 1 });
    expect(skipped).toMatchObject({ exitCode: 1, lastLine: "0 passed, 0 failed, 1 skipped" });
    expect(unknown).toMatchObject({ exitCode: 1 });
    expect(unknown.errors).toContain('no test file is named by "tests/z.test.ts"');
  },
);

testWithPrograms("runs only what the paths name: a file, a folder, a part of a path", async () => {
  const files = {
    "tests/a.test.ts": good,
    "tests/unit/b.test.ts": good,
    "tests/unit/deep/c.test.ts": good,
  };

  const file = await runCommand(files, ["tests/a.test.ts"]);
  const inFolder = await runCommand(files, ["./tests/unit/"]);
  const part = await runCommand(files, ["deep/c"]);
  const filtered = await runCommand(files, ["tests/unit", "-t", "a"]);

  expect(file.lastLine).toBe("2 passed, 0 failed, 0 skipped");
  expect(inFolder.lastLine).toBe("4 passed, 0 failed, 0 skipped");
  expect(part.lastLine).toBe("2 passed, 0 failed, 0 skipped");
  expect(filtered.lastLine).toStartWith("2 passed, 0 failed");
});
