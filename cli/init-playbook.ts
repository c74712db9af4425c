// `noetl init` from the command line: hands the schema of playbooks, which comes with the product,
// to what writes the file.

import { init } from "./init.ts";

export async function initPlaybook(path: string, force: boolean): Promise<number> {
  // As text, so that a compiled binary carries it; the compiler takes it for the parsed value.
  const schema: unknown = await import("../docs/playbook.schema.json", { with: { type: "text" } });
  const text = (schema as { readonly default: string }).default;
  return init(path, { schema: text, force });
}
