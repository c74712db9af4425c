// Secrets from standard input: what a person or a program pipes in is kept, and shown nowhere.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { readContexts } from "#cli/contexts";
import { repositoryRoot } from "#scripts/install";
import { workplace } from "./noetl.ts";

setDefaultTimeout(60_000);
const place = workplace();
afterAll(() => place.remove());

async function piped(input: string, ...argv: readonly string[]) {
  const child = Bun.spawn([process.execPath, join(repositoryRoot, "cli/main.ts"), ...argv], {
    cwd: place.folder,
    env: { ...process.env, NOETL_CONFIG_HOME: place.folder },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, said: out + err };
}

test("a token is read from standard input without its line end, and refused where it can't be one", async () => {
  const add = ["context", "add", "prod", "--server-url", "http://127.0.0.1:1", "--token-stdin"];
  const kept = await piped("secret-1\n", ...add);
  expect(kept.exitCode).toBe(0);
  expect(kept.said).not.toContain("secret-1");
  const file = join(place.folder, "contexts.json");
  expect(readContexts(file).contexts["prod"]?.token).toBe("secret-1");
  for (const input of ["\n", "secret-2\nsecret-3"]) {
    const refused = await piped(input, ...add);
    expect([input, refused.exitCode]).toEqual([input, 2]);
    expect(refused.said).not.toMatch(/secret[- ]\d/);
  }
  expect(readContexts(file).contexts["prod"]?.token).toBe("secret-1");
});
