// Makes docs/playbook.schema.json from the shapes of the language. Run it alone to write the file.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { playbookJsonSchema } from "#core/playbook/schema";

const path = "docs/playbook.schema.json";

/** The generated file: its path relative to the root of the repository, and its whole text. */
export function generate(): readonly { readonly path: string; readonly text: string }[] {
  return [{ path, text: `${JSON.stringify(playbookJsonSchema(), null, 2)}\n` }];
}

if (import.meta.main) {
  for (const file of generate()) writeFileSync(join(import.meta.dir, "..", file.path), file.text);
}
