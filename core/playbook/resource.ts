// Reads any document that the catalog keeps, and says what is wrong with it. Playbooks go the way of
// playbooks; the others are held against their shape, and against what no shape can say: that a
// credential brings no secret, and that what calls itself a schema is one.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { checkJsonSchema } from "./check-json-schema.ts";
import { ShapeChecker } from "./check-shape.ts";
import type { PlaybookDocument, Problem } from "./document.ts";
import { parsePlaybook } from "./parse.ts";
import { Findings, type Trail } from "./problems.ts";
import { errorsOf, problemsOf, readYaml } from "./read-yaml.ts";
import { type ResourceKind, resourceKindNamed } from "./resource-kinds.ts";
import { type PlainKind, resourceShape } from "./resource-shapes.ts";
import { isTemplate } from "./template.ts";

export interface ParsedResource {
  readonly ok: true;
  readonly kind: ResourceKind;
  readonly metadata: JsonObject;
  /** Of a playbook or an agent. */
  readonly playbook: PlaybookDocument | undefined;
  readonly warnings: readonly Problem[];
}

export interface RefusedResource {
  readonly ok: false;
  /** What it says that it is; a playbook where it says nothing that is known. */
  readonly kind: ResourceKind;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Reads one document of any kind of the catalog. Never throws for bad input. */
export function parseResource(source: string): ParsedResource | RefusedResource {
  const parsed = parsePlaybook(source);
  if (parsed.ok) {
    const { document, warnings } = parsed;
    const { kind, metadata } = document;
    return { ok: true, kind, metadata, playbook: document, warnings };
  }
  const kind = kindSaid(source) ?? "Playbook";
  if (kind === "Playbook" || kind === "Agent") {
    return { ok: false, kind, problems: parsed.problems, warnings: parsed.warnings };
  }
  return parsePlain(source, kind);
}

function kindSaid(source: string): ResourceKind | undefined {
  const tree = readYaml(source, new Findings());
  if (tree?.whole !== true || !isJsonObject(tree.value)) return undefined;
  const { kind } = tree.value;
  return typeof kind === "string" ? resourceKindNamed(kind) : undefined;
}

function parsePlain(source: string, kind: PlainKind): ParsedResource | RefusedResource {
  const findings = new Findings();
  const tree = readYaml(source, findings, "a document");
  const value = tree?.value;
  if (value !== undefined && tree?.whole === true) {
    new ShapeChecker(findings).record(value, resourceShape(kind), undefined);
    if (isJsonObject(value) && isJsonObject(value["spec"])) {
      checkSpec(value["spec"], kind, findings);
    }
  }
  const warnings = problemsOf(source, findings.warnings, tree);
  if (findings.errors.length > 0 || value === undefined || !isJsonObject(value)) {
    return { ok: false, kind, problems: errorsOf(source, findings, tree), warnings };
  }
  const { metadata } = value;
  const about = isJsonObject(metadata) ? metadata : {};
  return { ok: true, kind, metadata: about, playbook: undefined, warnings };
}

const spec: Trail = { parent: undefined, key: "spec" };
const inSpec = (key: string): Trail => ({ parent: spec, key });

function checkSpec(value: JsonObject, kind: PlainKind, findings: Findings): void {
  switch (kind) {
    case "Mcp":
      return checkEndpoint(value["endpoint"], findings);
    case "Credential":
      return checkNoSecret(value["data"], inSpec("data"), findings);
    case "Tool":
      for (const key of ["input_schema", "output_schema"]) {
        checkSchema(value[key], inSpec(key), findings);
      }
      if (value["entry"] !== undefined || value["module"] !== undefined) return undefined;
      return findings.keyError(spec, "Tool spec has no 'entry' and no 'module', expected one");
    case "Schema":
    case "Memory":
      return checkSchema(value["schema"], inSpec("schema"), findings);
    case "Subscription":
      return undefined;
    default:
      return kind satisfies never;
  }
}

function checkSchema(value: Json | undefined, trail: Trail, findings: Findings): void {
  if (value !== undefined) checkJsonSchema(value, trail, findings);
}

function checkEndpoint(value: Json | undefined, findings: Findings): void {
  if (typeof value !== "string" || isTemplate(value) || /^https?:\/\/[^\s/]+/.test(value)) return;
  findings.error(inSpec("endpoint"), "'endpoint' is another text, expected an http or https URL");
}

/** The catalog shows its texts to everybody: a secret belongs into the store of credentials. */
function checkNoSecret(value: Json | undefined, trail: Trail, findings: Findings): void {
  if (value === undefined || value === null || typeof value === "boolean") return;
  if (typeof value === "string") {
    if (value === "" || value === "***" || isTemplate(value)) return;
    const message =
      "a value of its own stands here, expected a template or ***: " +
      "the catalog keeps no secrets, the store of credentials does";
    return findings.error(trail, message);
  }
  if (Array.isArray(value)) {
    value.forEach((item: Json, key) => {
      checkNoSecret(item, { parent: trail, key }, findings);
    });
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      checkNoSecret(item, { parent: trail, key }, findings);
    }
  }
}
