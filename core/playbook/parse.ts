// Playbook text to a checked document in its canonical form, or everything that is wrong with it.
// How YAML is read is in read-yaml.ts.

import { isJsonObject } from "#core/model/json";
import { canonicalPlaybook } from "./canonical.ts";
import { checkPlaybook } from "./check.ts";
import type { PlaybookDocument, Problem } from "./document.ts";
import { Findings } from "./problems.ts";
import { errorsOf, problemsOf, readYaml } from "./read-yaml.ts";

export interface ParsedPlaybook {
  readonly document: PlaybookDocument;
  readonly warnings: readonly Problem[];
}

export type PlaybookParsing =
  | ({ readonly ok: true } & ParsedPlaybook)
  | {
      readonly ok: false;
      /** What must be changed, in the order of the text. */
      readonly problems: readonly Problem[];
      readonly warnings: readonly Problem[];
    };

/**
 * Reads one playbook. Never throws for bad input.
 * @returns the canonical document with warnings, or every problem in the order of the text; lines
 *   and columns count from 1, columns in UTF-16 units.
 */
export function parsePlaybook(source: string): PlaybookParsing {
  const findings = new Findings();
  const tree = readYaml(source, findings);
  if (tree?.whole === true) checkPlaybook(tree.value, findings);
  const warnings = problemsOf(source, findings.warnings, tree);
  if (tree === undefined || findings.errors.length > 0 || !isJsonObject(tree.value)) {
    return { ok: false, problems: errorsOf(source, findings, tree), warnings };
  }
  return { ok: true, document: canonicalPlaybook(tree.value), warnings };
}
