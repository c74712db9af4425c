// Runs the command line from a checkout without node_modules, and from one whose lockfile is newer,
// and shows that it installs, passes its arguments on and ends with the code of the command.
import { afterAll, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryRoot } from "#scripts/install";

const root = mkdtempSync(join(tmpdir(), "noetl-command-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const manifest = {
  name: "checkout",
  imports: { "#cli/*": "./cli/*.ts" },
  dependencies: { near: "file:./near" },
};
const main = `import { near } from "near";
export async function main(argv: readonly string[]): Promise<number> {
  console.log(near, process.pid, ...argv);
  return argv.length;
}
`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function run(...argv: readonly string[]) {
  const child = Bun.spawnSync([process.execPath, ...argv], { cwd: root, stdin: "ignore" });
  const { exitCode, pid } = child;
  return { exitCode, pid, out: child.stdout.toString(), errors: child.stderr.toString() };
}

test("installs what is missing, once, and then runs in the same process", () => {
  write("package.json", JSON.stringify(manifest));
  write("near/package.json", '{"name": "near", "version": "1.0.0", "main": "index.js"}');
  write("near/index.js", 'exports.near = "near";');
  write("cli/main.ts", main);
  for (const script of ["noetl", "install"]) {
    cpSync(join(repositoryRoot, `scripts/${script}.ts`), join(root, `scripts/${script}.ts`));
  }
  expect(run("install").errors).not.toContain("error");
  rmSync(join(root, "node_modules"), { recursive: true });

  const first = run("scripts/noetl.ts", "run", "a b");
  const second = run("scripts/noetl.ts", "run");

  expect(first).toMatchObject({ exitCode: 2, errors: "installing dependencies from bun.lock\n" });
  expect(first.out).toMatch(/^near \d+ run a b\n$/);
  expect(second).toMatchObject({ exitCode: 1, errors: "", out: `near ${second.pid} run\n` });
});

test("installs again after the lockfile has changed, even to a date in the future", () => {
  const tomorrow = Date.now() / 1000 + 86_400;
  utimesSync(join(root, "bun.lock"), tomorrow, tomorrow);

  const first = run("scripts/noetl.ts");
  const second = run("scripts/noetl.ts");

  expect(first.errors).toContain("installing dependencies");
  expect(second).toMatchObject({ exitCode: 0, errors: "" });
});

test("ends with the installer's code when the lockfile does not match", () => {
  write("package.json", JSON.stringify({ ...manifest, dependencies: { near: "file:./other" } }));
  rmSync(join(root, "node_modules"), { recursive: true });

  const ended = run("scripts/noetl.ts");

  expect(ended.exitCode).not.toBe(0);
  expect(ended.errors).toContain("bun install --frozen-lockfile failed with");
  expect(ended.out).toBe("");
  expect(existsSync(join(root, "node_modules", "near"))).toBe(false);
});
