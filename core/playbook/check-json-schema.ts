// Whether a value is a JSON Schema (draft 2020-12 and what older ones called the same): known
// keywords with values of their kind, references inside the document alone. It says nothing of what
// the schema means.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { type Findings, kindOf, quoted, type Trail } from "./problems.ts";

type Wants =
  | "schema"
  | "schemas"
  | "schemaMap"
  | "schemaOrList"
  | "type"
  | "text"
  | "texts"
  | "number"
  | "count"
  | "flag"
  | "list"
  | "pattern"
  | "reference"
  | "any";

const keywordsBy: Readonly<Record<Wants, readonly string[]>> = {
  any: ["default", "const", "dependentRequired", "dependencies"],
  schema: [
    ...["not", "if", "then", "else", "additionalProperties", "unevaluatedProperties"],
    ...["propertyNames", "additionalItems", "unevaluatedItems", "contains", "contentSchema"],
  ],
  schemas: ["allOf", "anyOf", "oneOf", "prefixItems"],
  schemaMap: ["$defs", "definitions", "properties", "patternProperties", "dependentSchemas"],
  schemaOrList: ["items"],
  type: ["type"],
  text: [
    ...["$schema", "$id", "$anchor", "$comment", "title", "description", "format"],
    ...["contentEncoding", "contentMediaType"],
  ],
  texts: ["required"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  count: [
    ...["minProperties", "maxProperties", "minContains", "maxContains"],
    ...["minItems", "maxItems", "minLength", "maxLength"],
  ],
  flag: ["deprecated", "readOnly", "writeOnly", "uniqueItems"],
  list: ["examples", "enum"],
  pattern: ["pattern"],
  reference: ["$ref", "$dynamicRef"],
};

const keywords: ReadonlyMap<string, Wants> = new Map(
  Object.entries(keywordsBy).flatMap(([wants, names]) =>
    // The keys of a record of these.
    names.map((name) => [name, wants as Wants] as const),
  ),
);

const types: readonly Json[] = [
  ...["null", "boolean", "object", "array", "number", "string", "integer"],
];

/** Reports everything that keeps the value from being a JSON Schema. */
export function checkJsonSchema(value: Json, trail: Trail | undefined, findings: Findings): void {
  new SchemaChecker(value, findings).schema(value, trail);
}

class SchemaChecker {
  constructor(
    readonly root: Json,
    readonly findings: Findings,
  ) {}

  schema(value: Json, trail: Trail | undefined): void {
    if (typeof value === "boolean") return;
    if (!isJsonObject(value))
      return this.#wanted("a JSON Schema: a map, true or false", value, trail);
    for (const [key, item] of Object.entries(value)) {
      const at: Trail = { parent: trail, key };
      const wants = keywords.get(key);
      if (wants !== undefined) this.#keyword(item, wants, at);
      else if (!key.startsWith("x-")) {
        const hint = this.findings.hint(key, [...keywords.keys()]);
        this.findings.keyError(at, `JSON Schema has no keyword ${quoted(key)}${hint}`);
      }
    }
  }

  #keyword(value: Json, wants: Wants, at: Trail): void {
    switch (wants) {
      case "any":
        return undefined;
      case "schema":
        return this.schema(value, at);
      case "schemas":
        return this.#each(value, at);
      case "schemaOrList":
        return Array.isArray(value) ? this.#each(value, at) : this.schema(value, at);
      case "schemaMap":
        if (!isJsonObject(value)) return this.#wanted("a map of schemas", value, at);
        for (const [key, item] of Object.entries(value)) this.schema(item, { parent: at, key });
        return undefined;
      case "reference":
        return this.#reference(value, at);
      default:
        return this.#plain(value, wants, at);
    }
  }

  #plain(
    value: Json,
    wants: Exclude<
      Wants,
      "any" | "schema" | "schemas" | "schemaOrList" | "schemaMap" | "reference"
    >,
    at: Trail,
  ): void {
    switch (wants) {
      case "text":
        return typeof value === "string" ? undefined : this.#wanted("text", value, at);
      case "texts":
        return isTexts(value) ? undefined : this.#wanted("a list of texts", value, at);
      case "number":
        return typeof value === "number" ? undefined : this.#wanted("a number", value, at);
      case "count":
        return typeof value === "number" && Number.isInteger(value) && value >= 0
          ? undefined
          : this.#wanted("a whole number of at least 0", value, at);
      case "flag":
        return typeof value === "boolean" ? undefined : this.#wanted("true or false", value, at);
      case "list":
        return Array.isArray(value) ? undefined : this.#wanted("a list", value, at);
      case "type":
        return this.#type(value, at);
      case "pattern":
        return isPattern(value) ? undefined : this.#wanted("a regular expression", value, at);
      default:
        return wants satisfies never;
    }
  }

  #each(value: Json, at: Trail): void {
    if (!Array.isArray(value)) return this.#wanted("a list of schemas", value, at);
    value.forEach((item: Json, key) => {
      this.schema(item, { parent: at, key });
    });
  }

  #type(value: Json, at: Trail): void {
    const named: readonly Json[] = Array.isArray(value) ? value : [value];
    if (named.length > 0 && named.every((each) => types.includes(each))) return;
    this.#wanted(`one or several of ${types.join(", ")}`, value, at);
  }

  /** Nothing is ever fetched from elsewhere: what a schema says must stand in it. */
  #reference(value: Json, at: Trail): void {
    if (typeof value !== "string") return this.#wanted("text", value, at);
    if (value === "#" || (/^#[A-Za-z_]/.test(value) && hasAnchor(this.root, value.slice(1))))
      return;
    if (value.startsWith("#/") && pointed(this.root, value) !== undefined) return;
    const message = `${quoted(value)} is not in this document, expected a reference such as #/$defs/NAME`;
    this.findings.error(at, message);
  }

  #wanted(what: string, value: Json, trail: Trail | undefined): void {
    const name = trail === undefined ? "the schema" : quoted(String(trail.key));
    this.findings.error(trail, `${name} is ${kindOf(value)}, expected ${what}`);
  }
}

function isTexts(value: Json): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isPattern(value: Json): boolean {
  if (typeof value !== "string") return false;
  try {
    new RegExp(value, "u");
    return true;
  } catch {
    return false;
  }
}

function pointed(root: Json, pointer: string): Json | undefined {
  let found: Json | undefined = root;
  for (const part of pointer.slice(2).split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(found)) found = found[Number(key)];
    else if (isJsonObject(found ?? null) && Object.hasOwn(found as JsonObject, key)) {
      found = (found as JsonObject)[key];
    } else return undefined;
  }
  return found;
}

function hasAnchor(value: Json, name: string): boolean {
  if (Array.isArray(value)) return value.some((each: Json) => hasAnchor(each, name));
  if (!isJsonObject(value)) return false;
  return value["$anchor"] === name || Object.values(value).some((each) => hasAnchor(each, name));
}
