// The page about the API names no route that there isn't; docs/api-routes.md, which is made from the
// contract, names them all.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { api } from "#core/wire/api";
import { repositoryRoot } from "#scripts/install";

test("the page names routes that there are", async () => {
  const page = await Bun.file(join(repositoryRoot, "docs/api.md")).text();
  const listed = [...page.matchAll(/^(?:\| `)?(GET|POST|PUT|DELETE) (\/api\/[^\s`?]*)/gm)].map(
    // Requests that are shown have a value where the route has a name.
    ([, method, path = ""]) =>
      `${method} ${path
        .replace(/\/\d{18}(?=\/|$)/, "/{id}")
        .replace(/\/(rules|callbacks)\/\w.*/, "/$1/{key}")}`,
  );
  const routes = new Set(
    Object.values(api).map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`),
  );
  expect(listed.length).toBeGreaterThan(30);
  expect(listed.filter((each) => !routes.has(each))).toEqual([]);
});
