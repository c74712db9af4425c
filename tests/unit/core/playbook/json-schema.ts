// A small validator for the keywords the playbook schema uses; it refuses to pass over one that
// it doesn't know.

type Schema = Readonly<Record<string, unknown>>;

const annotations = new Set(["$schema", "title", "description", "$defs", "deprecated"]);

/** Where and why a value doesn't fit; empty if it does. */
export function schemaErrors(schema: object, value: unknown): readonly string[] {
  return errorsAt(schema as Schema, value, { root: schema as Schema, path: "" });
}

interface Place {
  readonly root: Schema;
  readonly path: string;
}

function errorsAt(schema: Schema, value: unknown, place: Place): readonly string[] {
  return Object.entries(schema).flatMap(([keyword, limit]) => {
    if (annotations.has(keyword) || keyword === "then") return [];
    const check = keywords[keyword];
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
    const result = check({ limit, value, schema, place });
    if (typeof result !== "boolean") return result;
    return result ? [] : [`${place.path || "/"}: ${keyword} ${JSON.stringify(limit).slice(0, 80)}`];
  });
}

interface Check {
  readonly limit: unknown;
  readonly value: unknown;
  readonly schema: Schema;
  readonly place: Place;
}

const fits = (schema: unknown, { value, place }: Check) =>
  errorsAt(schema as Schema, value, place).length === 0;
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const keywords: Readonly<Record<string, (check: Check) => boolean | readonly string[]>> = {
  type: ({ limit, value }) =>
    [limit]
      .flat()
      .some((type) => type === typeOf(value) || (type === "number" && typeOf(value) === "integer")),
  enum: ({ limit, value }) => (limit as unknown[]).includes(value),
  const: ({ limit, value }) => limit === value,
  minimum: ({ limit, value }) => typeof value !== "number" || value >= (limit as number),
  minLength: ({ limit, value }) => typeof value !== "string" || value.length >= (limit as number),
  maxLength: ({ limit, value }) => typeof value !== "string" || value.length <= (limit as number),
  pattern: ({ limit, value }) =>
    typeof value !== "string" || new RegExp(limit as string, "u").test(value),
  minItems: ({ limit, value }) => !Array.isArray(value) || value.length >= (limit as number),
  required: ({ limit, value }) =>
    !isMap(value) || (limit as string[]).every((key) => Object.hasOwn(value, key)),
  anyOf: (check) => (check.limit as unknown[]).some((option) => fits(option, check)),
  allOf: ({ limit, value, place }) =>
    (limit as Schema[]).flatMap((part) => errorsAt(part, value, place)),
  if: ({ limit, value, schema, place }) =>
    errorsAt(limit as Schema, value, place).length > 0
      ? []
      : errorsAt(schema.then as Schema, value, place),
  items: ({ limit, value, place }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) =>
          errorsAt(limit as Schema, item, { ...place, path: `${place.path}/${index}` }),
        )
      : [],
  properties: ({ limit, value, place }) =>
    isMap(value)
      ? Object.entries(limit as Record<string, Schema>).flatMap(([key, part]) =>
          Object.hasOwn(value, key)
            ? errorsAt(part, value[key], { ...place, path: `${place.path}/${key}` })
            : [],
        )
      : [],
  propertyNames: ({ limit, value, place }) =>
    isMap(value) ? Object.keys(value).flatMap((key) => errorsAt(limit as Schema, key, place)) : [],
  minProperties: ({ limit, value }) =>
    !isMap(value) || Object.keys(value).length >= (limit as number),
  maxProperties: ({ limit, value }) =>
    !isMap(value) || Object.keys(value).length <= (limit as number),
  additionalProperties: ({ limit, value, schema, place }) =>
    isMap(value)
      ? Object.keys(value)
          .filter((key) => !Object.hasOwn((schema.properties ?? {}) as object, key))
          .flatMap((key) => {
            const path = `${place.path}/${key}`;
            if (limit === false) return [`${path}: unknown`];
            return errorsAt(limit as Schema, value[key], { ...place, path });
          })
      : [],
  $ref: ({ limit, value, place }) => {
    const target = (limit as string)
      .split("/")
      .slice(1)
      .reduce<unknown>((at, key) => (at as Schema)[key], place.root);
    return errorsAt(target as Schema, value, place);
  },
};

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
