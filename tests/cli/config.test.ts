// Settings: where their values come from, what is refused, and what is never shown.

import { afterAll, describe, expect, test } from "bun:test";
import { embeddedTools, readConfiguration } from "#cli/config";
import { noetl, workplace } from "./noetl.ts";

const place = workplace({
  "filed/.noetl/config.yaml": "NOETL_PORT: 9001\nNOETL_HOST: 0.0.0.0\n",
  "wrong/.noetl/config.yaml": "[1, 2]\n",
});
afterAll(() => place.remove());
const read = (environment: Record<string, string>, folder = "empty") =>
  readConfiguration(environment, place.path(folder));

describe("a setting", () => {
  test("comes from the environment, else the file, else its default", () => {
    const { values, shown } = read({ NOETL_HOST: "::1", NOETL_SLOTS: "" }, "filed");
    expect(values).toMatchObject({ NOETL_HOST: "::1", NOETL_PORT: 9001, NOETL_SLOTS: 64 });
    const sources = Object.fromEntries(shown.map(({ name, source }) => [name, source]));
    expect(sources).toMatchObject({
      NOETL_HOST: "environment",
      NOETL_PORT: "file",
      NOETL_SLOTS: "default",
    });
  });

  test.each([
    [{ NOETL_PORT: "70000" }, "NOETL_PORT: expected at most 65535, found 70000"],
    [{ NOETL_PORT: "http" }, "NOETL_PORT: expected a port, 0 to 65535, found http"],
    [{ NOETL_SLOTS: "0" }, "NOETL_SLOTS: expected at least 1, found 0"],
    [{ NOETL_SERVER_URL: "ftp://x" }, "NOETL_SERVER_URL: expected an http or https address"],
  ])("%p is refused with what was expected", (environment, message) => {
    expect(() => read(environment)).toThrow(message);
  });

  test("of DuckDB's extensions reaches the tools of the embedded worker", () => {
    const { values } = read({ NOETL_DUCKDB_EXTENSIONS: "/srv/extensions" });
    expect(embeddedTools(values).duckdb).toEqual({ extensions: "/srv/extensions" });
    expect(embeddedTools(read({}).values).duckdb).toBeUndefined();
  });

  test("of containers and MCP servers reaches the tools of the embedded worker", () => {
    const { values } = read({
      NOETL_CONTAINER_RUNTIME: "docker",
      NOETL_MCP_SERVERS: "shop=http://shop/mcp",
    });
    const { run } = embeddedTools(values, () => "http://127.0.0.1:8082");
    expect(run?.container?.runtime).toBe("docker");
    expect(run?.container?.kubernetes?.callbackUrl?.()).toBe("http://127.0.0.1:8082");
    expect(run?.mcp?.servers).toEqual({ shop: "http://shop/mcp" });
  });

  test("a file that is no map of settings is refused", () => {
    expect(() => read({}, "wrong")).toThrow("config.yaml: expected a map of settings by name");
  });
});

describe("noetl config", () => {
  const env = { DATABASE_URL: "postgres://app:hunter2@db/app", NOETL_PRT: "1" };

  test("shows every setting with its source, masks secrets and warns about unknown names", async () => {
    const { exitCode, out, err } = await noetl(["config"], { cwd: place.path("filed"), env });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^NOETL_PORT +9001 +file +noetl$/m);
    expect(out).toMatch(/^NOETL_SLOTS +64 +default +noetl worker$/m);
    expect(out).toMatch(/^DATABASE_URL +\*+ +environment +noetl control$/m);
    expect(out + err).not.toContain("hunter2");
    expect(err).toContain("NOETL_PRT in the environment is no setting, did you mean 'NOETL_PORT'?");
  });

  test("is one JSON document with --json", async () => {
    const { out } = await noetl(["config", "--json"], { cwd: place.folder, env });
    const { settings, warnings } = JSON.parse(out);
    expect(settings).toContainEqual({
      name: "NOETL_PORT",
      value: "8082",
      source: "default",
      process: "noetl",
    });
    expect(warnings.length).toBe(1);
    expect(out).not.toContain("hunter2");
  });

  test("every command that reads settings warns about unknown names, beside its output", async () => {
    const { out, err } = await noetl(["list"], { cwd: place.folder, env: { NOETL_PRT: "1" } });
    expect(out).toBe("");
    expect(err).toStartWith("noetl: NOETL_PRT in the environment is no setting");
  });

  test("a setting that is not as expected ends a command with 2", async () => {
    const { exitCode, err } = await noetl(["list"], {
      cwd: place.folder,
      env: { NOETL_PORT: "x" },
    });
    expect(exitCode).toBe(2);
    expect(err).toBe("noetl: NOETL_PORT: expected a port, 0 to 65535, found x\n");
  });
});
