// Playbook text to a checked document in its canonical form, or everything that is wrong with it.
// How YAML is read is in read-yaml.ts, what older forms become in older-forms.ts.

import type { Json } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { canonicalPlaybook } from "./canonical.ts";
import { checkPlaybook } from "./check.ts";
import type { PlaybookDocument, Problem } from "./document.ts";
import { modernise } from "./older-forms.ts";
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
  const value = tree?.whole === true ? checked(tree.value, findings) : undefined;
  const warnings = problemsOf(source, findings.warnings, tree);
  if (value === undefined || findings.errors.length > 0 || !isJsonObject(value)) {
    return { ok: false, problems: errorsOf(source, findings, tree), warnings };
  }
  return { ok: true, document: canonicalPlaybook(value), warnings };
}

/** The value without older forms, checked; what is found is told of the document as written. */
function checked(written: Json, findings: Findings): Json {
  const { value, moved } = modernise(written, findings);
  const found = new Findings();
  checkPlaybook(value, found);
  findings.adopt(found, moved.was);
  return value;
}
