// Walks the contract: every route is served, closed to whoever doesn't say who they are unless it
// says otherwise, described for people, and told of in a case; and nothing is served beside it.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openAccess, rulesOf } from "#control/access/admission";
import { startControl } from "#control/control";
import { apiClient } from "#core/adapters/api-client";
import { api } from "#core/wire/api";
import type { Route } from "#core/wire/route";
import { generate } from "#scripts/generate-api-page";
import { repositoryRoot } from "#scripts/install";
import { openGate } from "#tests/access/gate";
import { routeCases } from "#tests/control/route-cases";
import { onMemory } from "#tests/support/control";

const routes = Object.entries<Route>(api);
const [page] = generate();

describe("every route", () => {
  test("is described, lets somebody in, has a schema of its answer, a case and a row", () => {
    for (const [name, entry] of routes) {
      expect({ name, chars: entry.summary.length >= 10 }).toEqual({ name, chars: true });
      expect({ name, rules: rulesOf(entry).length > 0 }).toEqual({ name, rules: true });
      expect({ name, answer: typeof entry.parts.answer }).toEqual({ name, answer: "function" });
      expect(routeCases).toHaveProperty(name);
      expect(page?.text).toContain(`| \`${entry.method} ${entry.path}\` |`);
    }
  });

  test("has an address of its own", () => {
    const places = routes.map(([, { method, path }]) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });
});

test("the client has a call for each, and gives what is no JSON as text", async () => {
  const text = "# TYPE x counter\nx 1\n";
  const client = apiClient({ fetch: async () => new Response(text), baseUrl: "http://control" });
  const names = routes.map(([name]) => name as keyof typeof api);
  expect(names.filter((name) => typeof client[name] !== "function")).toEqual([]);
  expect(await client.metrics()).toBe(text);
});

onMemory((shelf) => {
  test("all of them are closed to nobody in particular", async () => {
    const gate = await openGate(shelf());
    const wrong: string[] = [];
    for (const [name, entry] of routes) {
      const { status } = await gate.world.control.fetch(requestTo(entry));
      const isOpen = rulesOf(entry).some((rule) => rule === "public" || rule === "link");
      if (!isOpen && status !== 401) wrong.push(`${name} is open: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  test("each is served under its address, and no other in its place", async () => {
    const { control, stores, bus } = shelf().open();
    await control.stop();
    const served: (readonly [Route, Route | undefined])[] = [];
    let answered: Route | undefined;
    const { context } = control.executions;
    const watched = startControl(
      { ...context, ...stores, bus },
      {
        access: openAccess({ kind: "person", subject: "nobody", tenant: "x", role: "viewer" }),
        report: () => {},
        observe: (entry) => {
          answered = entry;
        },
      },
    );
    watched.executions.standby.close();
    for (const [, entry] of routes) {
      answered = undefined;
      await (await watched.fetch(requestTo(entry))).body?.cancel();
      served.push([entry, answered]);
    }
    await watched.stop();
    const missing = served.filter(([asked, found]) => asked !== found);
    expect(missing.map(([{ method, path }]) => `${method} ${path}`)).toEqual([]);
  });
});

/** An address of the route; what it asks for is of no matter. */
function requestTo({ method, path }: Route): Request {
  const filled = path.replace(/:[a-z_]+/g, "1").replace(/\*$/, "a");
  return new Request(`http://control${filled}`, { method });
}

async function matchesIn(folder: string, pattern: RegExp): Promise<readonly string[]> {
  const found: string[] = [];
  const files = new Bun.Glob(`${folder}/**/*.ts`).scanSync({ cwd: repositoryRoot });
  for (const file of [...files].toSorted()) {
    const text = await Bun.file(join(repositoryRoot, file)).text();
    if (pattern.test(text)) found.push(file);
  }
  return found;
}

describe("beside the contract", () => {
  test("nothing is served but its description", async () => {
    const serving = /\bapp\s*\.(?:route|get|post|put|patch|delete|all|mount|use|ws|group)\(/;
    expect(await matchesIn("control", serving)).toEqual([
      "control/documentation.ts",
      "control/routes/mount.ts",
    ]);
  });

  test("the command line asks through the typed client alone", async () => {
    expect(await matchesIn("cli", /["'`]\/api\/|\}\/api\//)).toEqual([
      // Asks whether anything answers at all, before there is a client.
      "cli/health.ts",
      // Reads from servers of another make, which have another contract.
      "cli/import-commands.ts",
      // Reads a stream, of which the client gives no pieces.
      "cli/log-stream.ts",
    ]);
  });
});
