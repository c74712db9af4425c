// The OpenAPI description of the HTTP contract for programs, and a page that shows it to people. The
// page is one document of our own: it needs nothing from the network.

import type { Elysia } from "elysia";
import { documentationPage } from "./documentation-page.ts";
import { openapiDocument } from "./documentation-spec.ts";

const path = "/openapi";
const specPath = "/openapi/json";

/** Adds `/openapi` for people and `/openapi/json` for programs, both for anybody. */
export function documentation(version: string): (app: Elysia) => void {
  // Made when somebody looks: it takes longer than all else that a start does.
  let text: string | undefined;
  const spec = (): Response => {
    text ??= JSON.stringify(openapiDocument(version));
    return new Response(text, { headers: { "content-type": "application/json" } });
  };
  const page = (): Response =>
    new Response(documentationPage(specPath), {
      headers: { "content-type": "text/html; charset=utf-8" },
    });
  return (app) => {
    app.route("GET", specPath, spec);
    app.route("GET", path, page);
  };
}
