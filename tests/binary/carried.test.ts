// The library that the binary carries and unpacks for the system's loader: nobody else can put
// another in its place, processes don't get into each other's way, and a folder that won't do is
// named.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { startNoetl, type Workplace, workplace } from "#tests/cli/noetl";
import { binaryTestMs, builtBinary, canHide, runBinary } from "./binary.ts";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: duck, path: duck}
workflow:
  - step: start
    tool: {kind: duckdb, query: "select 42 as answer"}
`;

let place: Workplace;
let temporary = "";

beforeEach(() => {
  place = workplace({ "duck.yaml": playbook });
  temporary = place.path("temporary");
  mkdirSync(temporary);
});
afterEach(() => place.remove());

const run = () =>
  runBinary(["run", "duck.yaml", "--json"], { cwd: place.folder, env: { TMPDIR: temporary } });

const worked = { exitCode: 0, out: expect.stringContaining('"answer": 42') };

/** Folders and files that runs have left, without what the runtime itself keeps there. */
const left = (): readonly string[] =>
  readdirSync(temporary).filter((name) => !name.startsWith(".bun-"));

/** Where the library is unpacked, known from a run. */
async function ownFolder(): Promise<string> {
  expect(await run()).toMatchObject(worked);
  const [name = ""] = left();
  return join(temporary, name);
}

const fake = "no library at all";
const somebodyElse = 65_534;

describe("the carried library", () => {
  test(
    "is unpacked once, in a folder of the user's own, when two processes need it at once",
    async () => {
      const both = await Promise.all([run(), run()]);
      expect(both).toMatchObject([worked, worked]);
      const [name = "", ...others] = left();
      expect(others).toEqual([]);
      expect(statSync(join(temporary, name)).mode & 0o777).toBe(0o700);
      expect(readdirSync(join(temporary, name))).toEqual(["libduckdb.so"]);
    },
    binaryTestMs,
  );

  test(
    "is not looked for in a folder that others may write to",
    async () => {
      const folder = await ownFolder();
      writeFileSync(join(folder, "libduckdb.so"), fake.padEnd(sizeOf(folder)));
      chmodSync(folder, 0o777);
      expect(await run()).toMatchObject(worked);
      expect(left()).toHaveLength(1);
    },
    binaryTestMs,
  );

  test(
    "is not looked for behind a link, which somebody else may have made",
    async () => {
      const folder = await ownFolder();
      const elsewhere = place.path("elsewhere");
      renameSync(folder, elsewhere);
      writeFileSync(join(elsewhere, "libduckdb.so"), fake.padEnd(sizeOf(elsewhere)));
      symlinkSync(elsewhere, folder);
      expect(await run()).toMatchObject(worked);
    },
    binaryTestMs,
  );

  // Only root may give a file away.
  test.skipIf(process.getuid?.() !== 0)(
    "is used by an addon that the runtime unpacks itself, and never one of somebody else",
    async () => {
      await ownFolder();
      const [addon = ""] = readdirSync(temporary).filter((name) => name.startsWith(".bun-"));
      const file = join(temporary, addon);
      writeFileSync(file, fake.padEnd(statSync(file).size));
      chownSync(file, somebodyElse, somebodyElse);
      expect(await run()).toMatchObject(worked);
      expect(statSync(file).uid).toBe(0);
    },
    binaryTestMs,
  );

  test(
    "is not unpacked where anybody may put another in its place",
    async () => {
      chmodSync(temporary, 0o777);
      const { exitCode, out } = await run();
      expect(exitCode).toBe(1);
      expect(out).toContain(`in ${temporary}: anybody may remove what is in it`);
      chmodSync(temporary, 0o1777);
      expect(await run()).toMatchObject(worked);
    },
    binaryTestMs,
  );

  test(
    "is unpacked again where a file is not whole",
    async () => {
      const folder = await ownFolder();
      const size = sizeOf(folder);
      writeFileSync(join(folder, "libduckdb.so"), fake);
      expect(await run()).toMatchObject(worked);
      expect(sizeOf(folder)).toBe(size);
    },
    binaryTestMs,
  );
});

const sizeOf = (folder: string): number => statSync(join(folder, "libduckdb.so")).size;

describe("a temporary folder that won't do is named, with what is expected of one", () => {
  const unfit = { full: "size=16m", "read-only": "ro", "without programs": "noexec" };
  for (const [how, options] of Object.entries(unfit)) {
    // Only root may mount such a folder.
    test.skipIf(!canHide)(
      how,
      async () => {
        const mount = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"';
        const own = ["unshare", "--mount", "sh", "-c", mount, "sh", options, temporary];
        const { exitCode, out } = await startNoetl(["run", "duck.yaml", "--json"], {
          cwd: place.folder,
          env: { TMPDIR: temporary },
          program: [...own, await builtBinary()],
        }).ended;
        expect(exitCode).toBe(1);
        expect(out).toContain(`could not be unpacked and loaded in ${temporary}: `);
        expect(out).toMatch(/expected a folder with \d+ MB free/);
      },
      binaryTestMs,
    );
  }
});
