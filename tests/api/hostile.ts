// Requests that nobody should send: made from one that goes well and from what the description says
// that a route takes, by chance that can be had again.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Random } from "#tests/simulation/random";

export interface HostileRequest {
  readonly path: string;
  readonly method: string;
  readonly body?: string;
  readonly contentType: string;
}

export interface Target {
  readonly method: string;
  /** As the contract has it, with `:name` and `*`. */
  readonly template: string;
  /** Of the request that goes well. */
  readonly path: string;
  readonly body?: Json;
  /** As OpenAPI describes it. */
  readonly operation: Operation;
  /** Ids that are somebody else's. */
  readonly foreignIds: readonly string[];
}

export interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema?: JsonObject }>> };
}

/** Texts that stand for JSON which no value can say. */
const raw: Readonly<Record<string, string>> = {
  "@@deep@@": "[".repeat(5_000) + "]".repeat(5_000),
  "@@maps@@": `${'{"a":'.repeat(1_500)}1${"}".repeat(1_500)}`,
  "@@digits@@": "123456789012345678901234567890",
  "@@infinite@@": "1e400",
  "@@tiny@@": "-0.0000000000000000000000000000000001e-300",
};

const texts: readonly string[] = [
  ...["", " ", "\0", "a\0b", "\ud800", "a\udc00b", "\uFEFF", "\u202e", "😀", "žluť"],
  ...["'", "''; drop table noetl.event; --", "\\", "%", "_", "$1", ";", '"', "`", "{{ 7*7 }}"],
  ...["{% for x in y %}", "../../etc/passwd", "..%2f", "null", "undefined", "NaN", "true", "-1"],
  ...["0", "1e999", "99999999999999999999", "9223372036854775807", "9223372036854775808"],
  ...["__proto__", "constructor", "toString", "javascript:alert(1)", "<script>", "2024-02-30"],
  ...["noetl://execution/1/2", "1:s:1", "*", "a/b/c", "https://127.0.0.1:1/", "\r\nX-A: b"],
  ...Object.keys(raw),
];

const values: readonly Json[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, -1e-300, 2 ** 53, -(2 ** 31) - 1, 4_294_967_296],
  ...[[], {}, [null], [[]], { a: null }, ["a", 1, {}], { length: 1e9 }],
  JSON.parse('{"__proto__": {"x": 1}, "constructor": {"prototype": {"y": 1}}}') as Json,
];

const megabyte = "x".repeat(1_048_576);

function hostile(random: Random, foreignIds: readonly string[]): Json {
  if (random.chance(0.01)) return megabyte;
  if (random.chance(0.1)) return random.pick(foreignIds);
  if (random.chance(0.05)) return Array.from({ length: 1_001 }, () => random.pick(texts));
  return random.chance(0.6) ? random.pick(texts) : random.pick(values);
}

/** One request by chance. */
export function hostileRequest(random: Random, target: Target): HostileRequest {
  const { method } = target;
  const path = hostilePath(random, target);
  const contentType = random.chance(0.1)
    ? random.pick(["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
    : "application/json";
  const text = method === "GET" ? undefined : bodyText(random, target);
  return { method, path, contentType, ...(text === undefined ? {} : { body: text }) };
}

function hostilePath(random: Random, target: Target): string {
  const { path, template, operation, foreignIds } = target;
  const url = new URL(path, "http://control");
  const parts = url.pathname.split("/");
  const chosen = template.split("/").flatMap((part, at) => (/^[:*]/.test(part) ? [at] : []));
  if (random.chance(0.3) && chosen.length > 0) {
    parts[random.pick(chosen)] = encoded(hostile(random, foreignIds));
  }
  const named = operation.parameters.filter(({ in: place }) => place === "query");
  const search = [...url.searchParams].map(([name, value]) => [name, encodeURIComponent(value)]);
  for (let changes = random.int(3); changes > 0 && named.length > 0; changes--) {
    const pair = [random.pick(named).name, encoded(hostile(random, foreignIds))];
    const at = search.findIndex(([name]) => name === pair[0]);
    // Now and then the same name twice, which makes a list of it.
    if (at < 0 || random.chance(0.2)) search.push(pair);
    else search[at] = pair;
  }
  if (random.chance(0.1)) search.push([encoded(random.pick(texts)), encoded(random.pick(texts))]);
  if (search.length > 0 && random.chance(0.1)) search.splice(random.int(search.length), 1);
  const query = search.map(([name, value]) => `${name}=${value}`).join("&");
  return `${parts.join("/")}${query === "" ? "" : `?${query}`}`;
}

/** For an address; now and then with bytes that no text has. */
function encoded(value: Json): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const short = text.slice(0, 4_000);
  if (!short.isWellFormed()) return "%ED%A0%80";
  return encodeURIComponent(short);
}

function bodyText(random: Random, target: Target): string | undefined {
  const { body, operation, foreignIds } = target;
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const made =
    schema !== undefined && (body === undefined || random.chance(0.4))
      ? valueLike(schema, { random, foreignIds, depth: 0 })
      : changed(body ?? {}, random, foreignIds);
  const text = withRaw(JSON.stringify(made));
  switch (random.int(20)) {
    case 0:
      return text.slice(0, random.int(text.length));
    case 1:
      return `[${text}]`;
    case 2:
      return random.pick(["", "null", "[]", '"text"', "0", "\uFEFF{}", "{}{}", "{'a': 1}", "\0"]);
    default:
      return text;
  }
}

function withRaw(text: string): string {
  return text.replace(/"(@@[a-z]+@@)"(?!\s*:)/g, (whole, name: string) => raw[name] ?? whole);
}

/** The value with one or a few of its parts replaced, left out or joined by others. */
function changed(value: Json, random: Random, foreignIds: readonly string[]): Json {
  let result = value;
  for (let changes = random.int(3) + 1; changes > 0; changes--) {
    result = changedOnce(result, random, foreignIds);
  }
  return result;
}

function changedOnce(value: Json, random: Random, foreignIds: readonly string[]): Json {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const at = random.int(value.length);
    return value.with(at, changedOnce(value[at] ?? null, random, foreignIds));
  }
  if (!isJsonObject(value) || random.chance(0.1)) return hostile(random, foreignIds);
  const keys = Object.keys(value);
  if (keys.length === 0 || random.chance(0.15)) {
    return { ...value, [random.pick(texts)]: hostile(random, foreignIds) };
  }
  const key = random.pick(keys);
  if (random.chance(0.15)) {
    return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key));
  }
  const inner = value[key] ?? null;
  const isLeaf = typeof inner !== "object" || inner === null || random.chance(0.3);
  const put = isLeaf ? hostile(random, foreignIds) : changedOnce(inner, random, foreignIds);
  return { ...value, [key]: put };
}

interface Making {
  readonly random: Random;
  readonly foreignIds: readonly string[];
  readonly depth: number;
}

/** A value that the schema mostly takes, with hostile ones at some of its ends. */
function valueLike(schema: JsonObject, making: Making): Json {
  const { random, foreignIds, depth } = making;
  const options = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(options)) return valueLike(mapOf(random.pick<Json>(options)), making);
  if (Array.isArray(schema["enum"]) && random.chance(0.8)) return random.pick<Json>(schema["enum"]);
  if (schema["const"] !== undefined && random.chance(0.8)) return schema["const"];
  if (schema["type"] === "object" && depth < 6) return objectLike(schema, making);
  if (schema["type"] === "array" && depth < 6 && random.chance(0.8)) {
    const inside = { ...making, depth: depth + 1 };
    return Array.from({ length: random.int(4) }, () => valueLike(mapOf(schema["items"]), inside));
  }
  if (random.chance(0.5)) return hostile(random, foreignIds);
  switch (schema["type"]) {
    case "string":
      return random.pick(texts);
    case "number":
    case "integer":
      return random.pick([0, 1, 2, 100, Number(schema["minimum"] ?? 1), 2_147_483_647]);
    case "boolean":
      return random.chance(0.5);
    default:
      return random.pick(values);
  }
}

function objectLike(schema: JsonObject, making: Making): JsonObject {
  const { random, depth } = making;
  const required: readonly Json[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const entries = Object.entries(mapOf(schema["properties"]))
    .filter(([name]) => random.chance(required.includes(name) ? 0.95 : 0.4))
    .map(([name, own]) => [name, valueLike(mapOf(own), { ...making, depth: depth + 1 })] as const);
  return Object.fromEntries(entries);
}

function mapOf(value: Json | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}
