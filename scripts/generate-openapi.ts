// Makes docs/openapi.json: the OpenAPI description of the control plane, from the contract itself,
// the same that a running one answers with.

import { openapiDocument } from "#control/documentation-spec";
import manifest from "../package.json" with { type: "json" };
import type { GeneratedFile } from "./generate.ts";

export function generate(): readonly GeneratedFile[] {
  const document = openapiDocument(manifest.version);
  return [{ path: "docs/openapi.json", text: `${JSON.stringify(document, null, 1)}\n` }];
}
