// Hangs one entry of the contract on the app: the body is parsed and checked by its schema, the
// handler gets it checked, and the documentation comes from the same entry.

import type { Type } from "arktype";
import { type } from "arktype";
import type { Elysia } from "elysia";
import { Fault } from "#core/model/fault";
import { requestBytesMax } from "#core/model/limits";
import { parseJsonExactly } from "#core/wire/problem";
import type { Route, RouteAnswer, RouteParts, RouteRequest } from "#core/wire/route";

export type Handler<Parts extends RouteParts> = (
  request: RouteRequest<Parts>,
) => Promise<RouteAnswer<Parts>> | RouteAnswer<Parts>;

/** What Elysia hands to a handler, as far as we use it. */
interface RawContext {
  readonly params?: unknown;
  readonly query?: unknown;
  /** The text that our own parser left, where the request named a content type. */
  readonly body?: unknown;
  readonly request: Request;
}

export function mount<Parts extends RouteParts>(
  app: Elysia,
  entry: Route<Parts>,
  handler: Handler<Parts>,
): void {
  const serve = async (raw: RawContext): Promise<unknown> => {
    const { params, query, body } = entry.parts;
    const checked = {
      ...(params === undefined ? {} : { params: check("path", params, raw.params) }),
      ...(query === undefined ? {} : { query: check("query", query, raw.query) }),
      ...(body === undefined ? {} : { body: check("body", body, await jsonBody(raw)) }),
    };
    // The parts were checked by the very schemas that the type was inferred from.
    return handler(checked as unknown as RouteRequest<Parts>);
  };
  app.route(
    entry.method,
    entry.path,
    serve as never,
    {
      config: {},
      // Elysia's own parsers would read ids beyond 2^53 as rounded numbers.
      parse: ({ request }: RawContext) => request.text(),
      detail: detailOf(entry),
    } as never,
  );
}

function check(where: string, schema: Type, value: unknown): unknown {
  const checked: unknown = schema(value);
  if (!(checked instanceof type.errors)) return checked;
  throw new Fault("invalid", `the ${where} is not as expected: ${checked.summary}`, {
    details: checked.map((problem) => ({
      path: problem.path.map(String),
      message: problem.message,
    })),
  });
}

async function jsonBody({ request, body }: RawContext): Promise<unknown> {
  const text = typeof body === "string" ? body : await request.text();
  if (text.length > requestBytesMax) throw tooLarge(text.length);
  if (text.trim() === "") return undefined;
  try {
    return parseJsonExactly(text);
  } catch (thrown) {
    throw new Fault("invalid", "the body is not JSON", { cause: thrown });
  }
}

function tooLarge(bytes: number): Fault {
  return new Fault("too_large", `the body has ${bytes} bytes, expected at most ${requestBytesMax}`);
}

/** The entry in the words of OpenAPI. */
function detailOf(entry: Route): Record<string, unknown> {
  const { params, query, body, answer } = entry.parts;
  return {
    summary: entry.summary,
    tags: [entry.tag],
    parameters: [...parametersOf("path", params), ...parametersOf("query", query)],
    ...(body === undefined
      ? {}
      : { requestBody: { content: { "application/json": { schema: schemaOf(body) } } } }),
    responses: {
      200: {
        description: "The answer",
        content: { "application/json": { schema: schemaOf(answer) } },
      },
      default: {
        description: "A problem",
        content: { "application/json": { schema: problemSchema } },
      },
    },
  };
}

const problemSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message"],
      properties: { code: { type: "string" }, message: { type: "string" }, details: {} },
    },
  },
};

/** What a schema accepts, as JSON Schema; what JSON Schema can't say is left open. */
function schemaOf(schema: Type): unknown {
  return schema.in.toJsonSchema({ fallback: (context) => context.base });
}

function parametersOf(place: "path" | "query", schema: Type | undefined): readonly unknown[] {
  const shape = schema === undefined ? undefined : schemaOf(schema);
  if (typeof shape !== "object" || shape === null || !("properties" in shape)) return [];
  const required = "required" in shape && Array.isArray(shape.required) ? shape.required : [];
  return Object.entries(shape.properties as Record<string, unknown>).map(([name, own]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: own,
  }));
}
