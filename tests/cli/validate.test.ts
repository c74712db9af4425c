// `noetl validate` as a user runs it: what it prints, and how it ends.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const good =
  "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: a}\n" +
  "workflow:\n  - step: start\n    tool: {kind: noop}\n";
const warned = good.replace("kind: noop}", "kind: noop, mesage: hi}");
const bad = good.replace("kind: noop", "kind: nop").replace("name: a", "path: a");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "noetl-validate-"));
  writeFileSync(join(folder, "good.yaml"), good);
  writeFileSync(join(folder, "warned.yaml"), warned);
  writeFileSync(join(folder, "bad.yaml"), bad);
  writeFileSync(join(folder, "binary.yaml"), new Uint8Array([0xff, 0xfe, 0x00]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function validate(argv: readonly string[], input = "") {
  const program =
    'import { validate } from "#cli/validate";' +
    "process.exitCode = await validate(process.argv.slice(1));";
  // Bun takes options before -- for itself.
  const child = Bun.spawn([process.execPath, "-e", program, "--", ...argv], {
    cwd: root,
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out: out.replaceAll(`${folder}/`, ""), err, exitCode };
}

const file = (name: string) => join(folder, name);

describe("noetl validate", () => {
  test("says ok of a good playbook and ends with 0", async () => {
    expect(await validate([file("good.yaml")])).toEqual({
      out: "good.yaml: ok\n",
      err: "",
      exitCode: 0,
    });
  });

  test("prints every problem at its place and ends with 2", async () => {
    expect(await validate([file("bad.yaml"), file("good.yaml")])).toEqual({
      out:
        "bad.yaml:3:1: metadata has no 'name', expected text\n" +
        "bad.yaml:6:18: unknown tool kind 'nop', did you mean 'noop'?\n" +
        "good.yaml: ok\n",
      err: "",
      exitCode: 2,
    });
  });

  test("prints warnings as warnings and ends with 0", async () => {
    expect(await validate([file("warned.yaml")])).toEqual({
      out:
        "warned.yaml:6:24: warning: unknown noop tool key 'mesage', did you mean 'message'?\n" +
        "warned.yaml: ok\n",
      err: "",
      exitCode: 0,
    });
  });

  test("reads standard input for -", async () => {
    expect(await validate(["-"], good)).toEqual({ out: "-: ok\n", err: "", exitCode: 0 });
    const { out, exitCode } = await validate(["-"], bad);
    expect(out).toStartWith("-:3:1: metadata has no 'name'");
    expect(exitCode).toBe(2);
  });

  test("gives one JSON document with --json", async () => {
    const argv = ["--json", file("good.yaml"), file("warned.yaml"), file("bad.yaml")];
    const { out, exitCode } = await validate(argv);
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toEqual({
      files: [
        { file: "good.yaml", ok: true, problems: [] },
        {
          file: "warned.yaml",
          ok: true,
          problems: [
            {
              line: 6,
              column: 24,
              message: "unknown noop tool key 'mesage', did you mean 'message'?",
              path: ["workflow", 0, "tool", "mesage"],
              severity: "warning",
            },
          ],
        },
        {
          file: "bad.yaml",
          ok: false,
          problems: [
            {
              line: 3,
              column: 1,
              message: "metadata has no 'name', expected text",
              path: ["metadata"],
              severity: "error",
            },
            {
              line: 6,
              column: 18,
              message: "unknown tool kind 'nop', did you mean 'noop'?",
              path: ["workflow", 0, "tool", "kind"],
              severity: "error",
            },
          ],
        },
      ],
    });
  });

  test("says what is wrong with files it can't read, and goes on to the next", async () => {
    expect(
      await validate([file("none.yaml"), folder, file("binary.yaml"), file("good.yaml")]),
    ).toEqual({
      out:
        "none.yaml:1:1: no such file\n" +
        `${folder}:1:1: a directory, expected a playbook file\n` +
        "binary.yaml:1:1: not UTF-8 text, expected a playbook file\n" +
        "good.yaml: ok\n",
      err: "",
      exitCode: 2,
    });
  });

  test("without a file, or with an unknown option, says how it is used", async () => {
    const nothing = await validate([]);
    expect(nothing.exitCode).toBe(2);
    expect(nothing.err).toStartWith("expected a file, found no file\nusage: noetl validate FILE");
    const unknown = await validate(["--jsn", file("good.yaml")]);
    expect(unknown.exitCode).toBe(2);
    expect(unknown.err).toStartWith("expected a file, found unknown option --jsn\n");
  });
});
