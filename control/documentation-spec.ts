// The OpenAPI description of the HTTP contract, made from the contract itself: what a route takes,
// gives and lets in is said once, and the server, the clients and this document have it from there.

import { api } from "#core/wire/api";
import { faultCodes, statusOf } from "#core/wire/problem";
import type { AccessRule, Route, RouteParts } from "#core/wire/route";

type Described = Readonly<Record<string, unknown>>;
type Type = RouteParts["answer"];

/** The document, OpenAPI 3.1. */
export function openapiDocument(version: string): Described {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, entry] of Object.entries<Route>(api)) {
    const path = pathOf(entry);
    const methods = paths[path] ?? {};
    paths[path] = { ...methods, [entry.method.toLowerCase()]: operation(name, entry) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "NoETL Edge control plane",
      version,
      description: "Playbooks, their executions and the commands of workers.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: tags(),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "An access token, the token of a session, or that of the installation.",
        },
      },
      responses: {
        Problem: aProblem,
      },
      schemas: { Problem: problemSchema },
    },
  };
}

const problem = { $ref: "#/components/schemas/Problem" };

const aProblem = {
  description: "A problem",
  content: { "application/json": { schema: problem } },
};

const problemSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message"],
      properties: {
        code: { type: "string", enum: [...faultCodes] },
        message: { type: "string" },
        details: {},
      },
    },
  },
};

function tags(): readonly Described[] {
  const named = new Set(Object.values<Route>(api).map(({ tag }) => tag));
  return [...named].sort().map((name) => ({ name }));
}

/** The rest of an address that is a path of its own is called `path`. */
function pathOf({ path }: Route): string {
  return path.replace(/:([a-z_]+)/g, "{$1}").replace(/\*$/, "{path}");
}

function operation(name: string, entry: Route): Described {
  const { query, body, raw } = entry.parts;
  const rules = typeof entry.access === "string" ? [entry.access] : entry.access;
  return {
    operationId: name,
    summary: entry.summary,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    tags: [entry.tag],
    "x-noetl-access": [...rules],
    security: isOpen(rules) ? [] : [{ bearer: [] }],
    parameters: [...pathParameters(entry), ...queryParameters(query)],
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    ...(raw === undefined || entry.method === "GET"
      ? {}
      : { requestBody: { required: true, content: { [raw]: {} } } }),
    responses: responsesOf(entry, rules),
  };
}

/** A request that carries its own proof needs no token beside it. */
function isOpen(rules: readonly AccessRule[]): boolean {
  return rules.every((rule) => rule === "public" || rule === "link");
}

function bodyOf(body: Type): Described {
  const isRequired = !body.allows(undefined);
  const schema = schemaOf(body);
  return {
    required: isRequired,
    content: { "application/json": { schema: isRequired ? schema : withoutNothing(schema) } },
  };
}

/** That there may be no body at all is no schema of one. */
function withoutNothing(schema: Described): Described {
  const options: unknown = schema["anyOf"];
  if (!Array.isArray(options)) return schema;
  const said: readonly Described[] = options.filter((each) => Object.keys(each).length > 0);
  const [only] = said;
  return said.length === 1 && only !== undefined ? only : { ...schema, anyOf: said };
}

function responsesOf(entry: Route, rules: readonly AccessRule[]): Described {
  const { params, query, body, answer, events, raw } = entry.parts;
  const refused = { $ref: "#/components/responses/Problem" };
  const takesAny = params !== undefined || query !== undefined || body !== undefined;
  const codes = [
    ...(isOpen(rules) ? [] : (["unauthenticated", "forbidden"] as const)),
    ...(entry.of === undefined && params === undefined ? [] : (["not_found"] as const)),
    ...(takesAny ? (["invalid"] as const) : []),
    ...(body === undefined && raw === undefined ? [] : (["too_large"] as const)),
  ];
  return {
    200: {
      description: "The answer",
      content: {
        [raw ?? "application/json"]: { schema: schemaOf(answer) },
        ...(events === undefined ? {} : { "text/event-stream": { schema: schemaOf(events) } }),
      },
    },
    ...Object.fromEntries(codes.map((code) => [statusOf(code), refused])),
    default: aProblem,
  };
}

/** What a schema accepts, as JSON Schema; what JSON Schema can't say is left open. */
function schemaOf(schema: Type): Described {
  const said = schema.in.toJsonSchema({ fallback: (context) => context.base });
  // A schema is a map here; that it is one of the dialect of the whole document need not be said.
  const { $schema: _dialect, ...rest } = said as Described;
  return rest;
}

function pathParameters({ path, parts }: Route): readonly Described[] {
  const known = propertiesOf(parts.params);
  const names = [...path.matchAll(/:([a-z_]+)|\*$/g)].map(([whole, name = whole]) => name);
  return names.map((name) => ({
    name: name === "*" ? "path" : name,
    in: "path",
    required: true,
    schema: known.properties[name] ?? { type: "string" },
  }));
}

function queryParameters(query: Type | undefined): readonly Described[] {
  const { properties, required } = propertiesOf(query);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function propertiesOf(schema: Type | undefined) {
  const shape = schema === undefined ? {} : schemaOf(schema);
  const required: readonly unknown[] = Array.isArray(shape["required"]) ? shape["required"] : [];
  return { properties: (shape["properties"] ?? {}) as Described, required };
}
