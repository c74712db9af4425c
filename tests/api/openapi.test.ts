// The description of the contract in the words of OpenAPI 3.1: whole in itself, and the same that a
// control plane answers with.

import { describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { documentation } from "#control/documentation";
import { openapiDocument } from "#control/documentation-spec";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { api } from "#core/wire/api";
import type { Route } from "#core/wire/route";

// As a program gets it: a document of JSON.
const document = JSON.parse(JSON.stringify(openapiDocument("1.2.3"))) as JsonObject;

const mapOf = (value: Json | undefined): JsonObject =>
  value !== undefined && isJsonObject(value) ? value : {};
const operations = Object.entries(mapOf(document["paths"])).flatMap(([path, methods]) =>
  Object.entries(mapOf(methods)).map(([method, operation]) => ({
    path,
    method,
    operation: mapOf(operation),
  })),
);

/** Every value in a document, with the place where it stands. */
function* within(value: Json, place = "#"): Generator<readonly [string, Json]> {
  yield [place, value];
  const inner = Array.isArray(value)
    ? value.entries()
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  for (const [key, each] of inner) {
    const part = String(key).replaceAll("~", "~0").replaceAll("/", "~1");
    yield* within(each, `${place}/${part}`);
  }
}

describe("the document", () => {
  test("has a version, and a title, and says how to show who one is", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
    expect(document["components"]).toMatchObject({
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    });
  });

  test("refers only to what is in it", () => {
    const places = new Set([...within(document)].map(([place]) => place));
    const references = [...within(document)].flatMap(([place, value]) =>
      place.endsWith("/$ref") && typeof value === "string" ? [value] : [],
    );
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((each) => !places.has(each))).toEqual([]);
  });

  test("has every route once, by the name that clients call it by", () => {
    const ids = operations.map(({ operation }) => String(operation["operationId"]));
    expect(ids.toSorted()).toEqual(Object.keys(api).toSorted());
    const templates = operations.map(
      ({ path, method }) => `${method} ${path.replace(/\{\w+\}/g, "{}")}`,
    );
    expect(new Set(templates).size).toBe(templates.length);
    const shapes = new Set(operations.map(({ path }) => path.replace(/\{\w+\}/g, "{}")));
    // Two addresses that differ in the names of their parts alone are one address to OpenAPI.
    expect(new Set(operations.map(({ path }) => path)).size).toBe(shapes.size);
  });

  test("names every part of an address once, and no other", () => {
    for (const { path, operation } of operations) {
      const parameters = Array.isArray(operation["parameters"]) ? operation["parameters"] : [];
      const named = parameters.map(mapOf);
      const inPath = named.filter((each) => each["in"] === "path").map((each) => each["name"]);
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect({ path, names: inPath }).toEqual({ path, names: wanted as Json[] });
      const keys = named.map((each) => `${each["in"]} ${each["name"]}`);
      expect(new Set(keys).size).toBe(keys.length);
      for (const each of named) expect(each["schema"]).toBeObject();
    }
  });

  test("says of each route what it takes, gives and lets in", () => {
    for (const { operation } of operations) {
      const name = String(operation["operationId"]);
      const entry: Route = api[name as keyof typeof api];
      const responses = mapOf(operation["responses"]);
      expect({ name, summary: operation["summary"] }).toEqual({ name, summary: entry.summary });
      const type = entry.parts.raw ?? "application/json";
      expect(mapOf(responses["200"])["content"]).toHaveProperty([type, "schema"]);
      expect(mapOf(responses["default"])["content"]).toHaveProperty(["application/json", "schema"]);
      if (entry.parts.body !== undefined) expect(operation["requestBody"]).toBeObject();
      const rules = typeof entry.access === "string" ? [entry.access] : entry.access;
      expect(operation["x-noetl-access"]).toEqual([...rules]);
      const isOpen = rules.every((rule) => rule === "public" || rule === "link");
      expect(operation["security"]).toEqual(isOpen ? [] : [{ bearer: [] }]);
      expect("401" in responses).toBe(!isOpen);
    }
  });
});

test("is what a control plane answers with, beside a page for people", async () => {
  const app = new Elysia({ aot: false });
  documentation("1.2.3")(app);
  const answer = await app.handle(new Request("http://control/openapi/json"));
  expect(await answer.json()).toEqual(document);
  const page = await app.handle(new Request("http://control/openapi"));
  expect(page.headers.get("content-type")).toContain("text/html");
  const [, script = ""] = /<script>([\s\S]*)<\/script>/.exec(await page.text()) ?? [];
  // Throws for what is no program.
  expect(new Function(script)).toBeFunction();
});
