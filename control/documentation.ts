// The OpenAPI description of the HTTP contract, from what `mount` says of every route, and a page
// that shows it. The page is one document of our own: it needs nothing from the network.

import { openapi } from "@elysiajs/openapi";
import type { Elysia } from "elysia";
import { documentationPage } from "./documentation-page.ts";

const path = "/openapi";
const specPath = "/openapi/json";

/** Adds `/openapi` for people and `/openapi/json` for programs. */
export function documentation(version: string): (app: Elysia) => void {
  return (app) => {
    app.use(
      openapi({
        path,
        specPath,
        // The plugin's own pages load their program from a public network of copies.
        provider: null,
        documentation: {
          info: {
            title: "NoETL Edge control plane",
            version,
            description: "Playbooks, their executions and the commands of workers.",
          },
        },
        exclude: { paths: [path, specPath] },
      }),
    );
    app.route(
      "GET",
      path,
      () =>
        new Response(documentationPage(specPath), {
          headers: { "content-type": "text/html; charset=utf-8" },
        }),
    );
  };
}
