// Proves that commands that are not built yet do nothing, and say so.

import { afterAll, expect, test } from "bun:test";
import { noetl, workplace } from "./noetl.ts";

const place = workplace({ "a.yaml": "kind: Playbook\n" });
afterAll(() => place.remove());

test.each([
  ["migrate", ["a.yaml", "--check", "--write", "--json"]],
  ["test", ["a.yaml", "--filter", "x", "--verbose", "--json"]],
] as const)(
  "noetl %s takes its flags, says that it is not built, and ends with 2",
  async (name, args) => {
    const { exitCode, out, err } = await noetl([name, ...args], { cwd: place.folder });

    expect(exitCode).toBe(2);
    expect(out).toBe("");
    expect(err).toBe(`noetl: ${name} is not built yet; nothing was done\n`);
  },
);
