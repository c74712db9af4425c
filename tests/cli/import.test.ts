// Importing from another server: what it has comes over version by version, and a server that lies
// is not believed.

import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import { type Listening, listen } from "#core/adapters/listen";
import { onMemory, type World } from "#tests/support/control";
import { runHere } from "./in-process.ts";
import { workplace } from "./noetl.ts";

const place = workplace();
afterAll(() => place.remove());

const playbook = (name: string, code = "1") => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: t/${name}}
workflow:
  - step: start
    tool: {kind: python, code: "result = ${code}"}
`;

type Answer = (path: string, body: Record<string, unknown>) => unknown;

/** A server of another make: answers what it is told to. */
function standIn(answer: Answer) {
  const heard: (readonly [string, string | null])[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      heard.push([pathname, request.headers.get("authorization")]);
      const body: unknown = request.method === "POST" ? await request.json() : {};
      const value = answer(pathname, body as Record<string, unknown>);
      if (value instanceof Response) return value;
      return value === undefined
        ? Response.json({ detail: "Not Found" }, { status: 404 })
        : Response.json(value);
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, heard, stop: () => server.stop(true) };
}

onMemory((shelf) => {
  let world: World | undefined;
  let server: Listening | undefined;
  beforeEach(() => {
    world = shelf().open();
    server = listen(world.control.fetch, { host: "127.0.0.1", port: 0 });
  });
  afterEach(() => server?.stop());
  const client = () =>
    apiClient({ fetch: (request) => fetch(request), baseUrl: server?.url ?? "" });
  const imported = async (from: string, ...flags: readonly string[]) => {
    const { exitCode, out, err } = await runHere(["import", "--from", from, "--json", ...flags], {
      ...{ NOETL_CONFIG_HOME: place.folder, NOETL_DIRECTORY: place.path("noetl") },
      NOETL_SERVER_URL: server?.url ?? "",
    });
    return { exitCode, err, report: JSON.parse(out) };
  };

  const versions: Readonly<Record<string, readonly string[]>> = {
    "t/one": [playbook("one"), playbook("one", "2")],
    "t/packed": [btoa(playbook("packed"))],
  };
  const resource = ({ path, version }: Record<string, unknown>) => {
    const content = versions[String(path)]?.[Number(version) - 1];
    return content === undefined ? undefined : { path, version, kind: "Playbook", content };
  };

  test("takes every version over, schedules switched off, and names of credentials alone", async () => {
    const other = standIn((path, body) => {
      switch (path) {
        case "/api/catalog/list":
          return {
            entries: [
              { catalog_id: 77, path: "t/one", version: "2", kind: "Playbook" },
              { catalog_id: 78, path: "t/packed", version: 1, kind: "playbook", payload: {} },
            ],
          };
        case "/api/catalog/resource":
          return resource(body);
        case "/api/schedules":
          return { schedules: [{ name: "nightly", path: "t/one", cron: "0 3 * * *" }] };
        case "/api/credentials":
          return { items: [{ name: "pg", type: "postgres", data: { password: "secret-1" } }] };
        default:
          return undefined;
      }
    });
    const dry = await imported(other.url, "--dry-run");
    expect(dry.report.catalog.map(({ status }: { status: string }) => status)).toEqual([
      "fit",
      "fit",
      "fit",
    ]);
    expect((await client().listCatalog({ body: {} })).entries).toEqual([]);

    const { exitCode, report, err } = await imported(other.url);
    expect([exitCode, err, report.problems]).toEqual([0, "", []]);
    expect(report.catalog).toEqual([
      { path: "t/one", version: 1, status: "registered" },
      { path: "t/one", version: 2, status: "registered" },
      { path: "t/packed", version: 1, status: "registered" },
    ]);
    expect(report.credentials).toEqual([{ name: "pg", type: "postgres" }]);
    const kept = await client().catalogResource({ body: { path: "t/packed" } });
    expect(kept.content).toBe(playbook("packed"));
    const { schedules } = await client().listSchedules({ query: {} });
    expect(schedules).toMatchObject([{ name: "nightly", enabled: false }]);
    await other.stop();
  });

  test("goes on behind what it can't take, and says of each why", async () => {
    const other = standIn((path, body) => {
      if (path === "/api/catalog/list") {
        return [
          { path: "t/broken", version: 1 },
          { path: "t/html", version: 1 },
          { path: "t/liar", version: 1 },
          { path: "t/away", version: 1 },
          { version: 3 },
          { path: "t/\u001b[2Jescape", version: -4 },
          { path: "t/one", version: 2 },
        ];
      }
      if (path !== "/api/catalog/resource") return undefined;
      switch (body["path"]) {
        case "t/broken":
          return { path: "t/broken", version: 1, content: "kind: Playbook\nworkflow: 7\n" };
        case "t/html":
          return new Response("<html>login</html>");
        case "t/liar":
          return { path: "t/other", version: 1, content: playbook("other") };
        case "t/away":
          return Response.redirect("http://127.0.0.1:1/", 302);
        default:
          return resource(body);
      }
    });
    const { exitCode, report } = await imported(other.url);
    await other.stop();
    expect(exitCode).toBe(1);
    expect(report.catalog).toMatchObject([
      { path: "t/broken", status: "refused" },
      { path: "t/one", version: 1, status: "registered" },
      { path: "t/one", version: 2, status: "registered" },
    ]);
    expect(report.problems).toEqual([
      "entry 5 of the catalog: expected one with a path and a version",
      "t/html version 1: it answered 200 with something else than JSON",
      "t/liar version 1: expected the entry, found something else",
      "t/away version 1: it redirects (302): expected the address itself",
      "t/\u001b[2Jescape version 1: it answered 404",
    ]);
  });

  test("believes no list that is none, is too long, or counts versions without end", async () => {
    const page = standIn(() => new Response("<html></html>"));
    expect((await imported(page.url)).report.problems[0]).toContain("something else than JSON");
    await page.stop();
    const none = standIn((path) => (path === "/api/catalog/list" ? { entries: 7 } : undefined));
    expect((await imported(none.url)).report.problems).toEqual([
      "the catalog: expected a list of entries, found something else",
    ]);
    await none.stop();
    const many = Array.from({ length: 10_001 }, () => ({}));
    const long = standIn((path) => (path === "/api/catalog/list" ? many : undefined));
    const { problems } = (await imported(long.url)).report;
    expect(problems[0]).toContain("10001 entries, only the first 10000 taken");
    await long.stop();
    let asked = 0;
    const endless = standIn((path) => {
      if (path === "/api/catalog/list") return [{ path: "t/one", version: 999_999_999 }];
      if (path === "/api/catalog/resource") asked++;
      return undefined;
    });
    expect((await imported(endless.url, "--dry-run")).exitCode).toBe(1);
    expect(asked).toBe(10);
    await endless.stop();
  });

  test("needs an address to import from", async () => {
    const { exitCode, err } = await imported("ftp://x");
    expect(exitCode).toBe(2);
    expect(err).toContain("--from: expected an http or https address");
  });
});
