// The language's shapes as JSON Schema (draft 2020-12), for editors: completion, hover texts, red
// lines. What holds across keys (names, targets, labels) is beyond it and left to the parser.

import { unreachable } from "#core/model/fault";
import { playbook } from "./language.ts";
import { policy } from "./language-policy.ts";
import type { Field, RecordShape, Shape, TextShape } from "./shape.ts";
import { kindSays, neededFields, toolKinds } from "./tool-fields.ts";

/** A JSON Schema, or a part of one. */
interface Schema {
  readonly [keyword: string]: unknown;
}

const templateRef: Schema = { $ref: "#/$defs/template" };

/** The schema of docs/playbook.schema.json: every document it refuses the parser refuses too. */
export function playbookJsonSchema(): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "NoETL playbook",
    ...schemaOfRecord(playbook),
    $defs: {
      template: {
        type: "string",
        pattern: "\\{\\{[\\s\\S]*\\}\\}|\\{%[\\s\\S]*%\\}",
        description: "A text with a template: {{ expression }} or {% statement %}.",
      },
      policy: schemaOfRecord(policy),
      tool: toolSchema(),
    },
  };
}

function schemaOf(shape: Shape): Schema {
  const own = ownSchema(shape);
  return "orTemplate" in shape && shape.orTemplate === true ? { anyOf: [own, templateRef] } : own;
}

function ownSchema(shape: Shape): Schema {
  switch (shape.is) {
    case "text":
      return textSchema(shape);
    case "number":
      return {
        type: shape.whole === true ? "integer" : "number",
        ...(shape.min === undefined ? {} : { minimum: shape.min }),
      };
    case "flag":
      return { type: "boolean" };
    case "data":
      return {};
    case "map":
      return {
        type: "object",
        ...(shape.keys === undefined ? {} : { propertyNames: { pattern: shape.keys.source } }),
      };
    case "list": {
      const items = itemSchema(shape.items);
      const list = {
        type: "array",
        items,
        ...(shape.itemsMin === undefined ? {} : { minItems: shape.itemsMin }),
      };
      return shape.orSingle === true ? { anyOf: [list, items] } : list;
    }
    case "condition":
      return { type: ["string", "boolean"] };
    case "record":
      return shape === policy ? { $ref: "#/$defs/policy" } : schemaOfForms(shape);
    case "either":
      return { anyOf: shape.options.map(schemaOf) };
    case "tool":
      return { $ref: "#/$defs/tool" };
    default:
      return unreachable(shape);
  }
}

/** A tool of a list may stand under its label, in an older form. */
function itemSchema(shape: Shape): Schema {
  const own = schemaOf(shape);
  if (shape.is !== "tool") return own;
  const labelled = {
    type: "object",
    description: "Older form: a task under its label, in place of its name.",
    deprecated: true,
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: { $ref: "#/$defs/tool" },
  };
  return { anyOf: [own, labelled] };
}

/** A record, or one of the older forms that stand for it. */
function schemaOfForms(shape: RecordShape): Schema {
  const { olderShapes = [] } = shape;
  if (olderShapes.length === 0) return schemaOfRecord(shape);
  const older = olderShapes.map(({ shape: form, says }) => ({
    ...schemaOf(form),
    description: says,
    deprecated: true,
  }));
  return { anyOf: [schemaOfRecord(shape), ...older] };
}

function textSchema(shape: TextShape): Schema {
  if (shape.allowed !== undefined) return { type: "string", enum: shape.allowed };
  return {
    type: "string",
    ...(shape.charsMax === undefined ? {} : { minLength: 1, maxLength: shape.charsMax }),
    ...(shape.pattern === undefined ? {} : { pattern: shape.pattern.source }),
  };
}

function schemaOfRecord(shape: RecordShape): Schema {
  const required = Object.entries(shape.fields)
    .filter(([, field]) => field.required === true)
    .map(([key]) => key);
  return {
    type: "object",
    properties: properties({ ...shape.fields, ...shape.rewritten }),
    ...(required.length === 0 ? {} : { required }),
    ...(shape.others === "refuse" ? { additionalProperties: false } : {}),
  };
}

function properties(fields: Readonly<Record<string, Field>>): Schema {
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)]),
  );
}

function fieldSchema(field: Field): Schema {
  return {
    description: field.says,
    ...(field.deprecated === true ? { deprecated: true } : {}),
    ...schemaOf(field.shape),
  };
}

/** What all kinds have in common, and one branch per kind for the fields that are its own. */
function toolSchema(): Schema {
  const kinds = [...toolKinds];
  const kind = {
    description: `The tool: ${kinds.map(([name]) => `${name} (${sentence(name)})`).join(", ")}.`,
    enum: kinds.map(([name]) => name),
  };
  const [, anyKind] = kinds[0] ?? ["", undefined];
  const shared = Object.entries(anyKind?.fields ?? {}).filter(([key, field]) =>
    kinds.every(([, record]) => record.fields[key] === field),
  );
  const sharedKeys = new Set(shared.map(([key]) => key));
  return {
    type: "object",
    required: ["kind"],
    properties: { ...properties(Object.fromEntries(shared)), kind },
    allOf: kinds.map(([name, record]) => {
      const own = Object.entries(record.fields).filter(([key]) => !sharedKeys.has(key));
      return {
        if: { required: ["kind"], properties: { kind: { const: name } } },
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls the keyword so.
        then: {
          description: kindSays(name),
          properties: properties(Object.fromEntries(own)),
          ...needs(name),
        },
      };
    }),
  };
}

function sentence(kind: string): string {
  const says = kindSays(kind).replace(/\.$/, "");
  return says.charAt(0).toLowerCase() + says.slice(1);
}

function needs(kind: string): Schema {
  const groups = neededFields(kind);
  if (groups.length === 0) return {};
  return { allOf: groups.map((names) => ({ anyOf: names.map(needed) })) };
}

/** `spec.code` asks for code inside spec. */
function needed(name: string): Schema {
  const [first = name, ...rest] = name.split(".");
  if (rest.length === 0) return { required: [first] };
  return { required: [first], properties: { [first]: needed(rest.join(".")) } };
}
