// Puts the playbooks of `examples/` into the catalog of a fresh `noetl dev`, once it listens.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiClient } from "#core/adapters/api-client";
import { Fault, messageOf } from "#core/model/fault";
import { isTestName } from "./test-name.ts";

export interface RegisteredExamples {
  /** Paths in the catalog, of new and known ones. */
  readonly count: number;
  /** What could not be registered, one line each. */
  readonly problems: readonly string[];
}

/** Registers `<root>/examples/**\/*.yaml`; a text that the catalog has already is not parsed again. */
export async function registerExamples(
  client: ApiClient,
  root: string,
): Promise<RegisteredExamples> {
  const folder = join(root, "examples");
  if (!existsSync(folder)) return { count: 0, problems: [] };
  const { entries } = await client.listCatalog({ body: { limit: 500 } });
  const known = new Set(entries.map(({ digest }) => digest));
  const problems: string[] = [];
  let count = 0;
  for (const name of [...new Bun.Glob("**/*.{yaml,yml}").scanSync(folder)].sort()) {
    if (isTestName(name)) continue;
    const content = readFileSync(join(folder, name), "utf8");
    if (known.has(Bun.SHA256.hash(content, "hex"))) {
      count += 1;
      continue;
    }
    try {
      await client.registerCatalog({ body: { content } });
      count += 1;
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      problems.push(`examples/${name}: ${messageOf(thrown)}`);
    }
    // Requests that wait get their turn between two files.
    await Bun.sleep(0);
  }
  return { count, problems };
}
