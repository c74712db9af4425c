// Settings of every process: what their texts may be, and what they come to.

import { describe, expect, test } from "bun:test";
import { processes } from "#cli/config";
import { controlRoles, controlSettings } from "#control/config";
import { expectedText, readSettings, unknownSettings } from "#core/adapters/configuration";
import type { Settings } from "#core/model/settings";
import { workerSettings } from "#worker/config";

const read = <const Of extends Settings>(settings: Of, environment: Record<string, string> = {}) =>
  readSettings(settings, { environment, file: {} }).values;

describe("the settings of a worker", () => {
  test("have defaults that let it start beside a control plane", () => {
    expect(read(workerSettings)).toMatchObject({
      NOETL_POOLS: ["default"],
      NOETL_SLOTS: 64,
      NOETL_PROCESSES: 1,
      NOETL_WORKER_ALLOW_SHELL: false,
    });
    expect(read(workerSettings).NOETL_HEALTH_PORT).toBeUndefined();
  });

  test("name several replicas and pools with commas between them", () => {
    const values = read(workerSettings, {
      NOETL_SERVER_URL: "http://a:1/, https://b/noetl",
      NOETL_POOLS: "cpu, gpu,,cpu",
      NOETL_WORKER_ALLOW_SHELL: "true",
    });
    expect(values.NOETL_SERVER_URL).toEqual(["http://a:1", "https://b/noetl"]);
    expect(values.NOETL_POOLS).toEqual(["cpu", "gpu"]);
    expect(values.NOETL_WORKER_ALLOW_SHELL).toBe(true);
  });

  test.each([
    [{ NOETL_SERVER_URL: "http://a,b" }, "NOETL_SERVER_URL: expected an http or https address"],
    [{ NOETL_POOLS: "," }, "NOETL_POOLS: expected names with commas between them, found ,"],
    [{ NOETL_WORKER_ALLOW_SHELL: "yes" }, "NOETL_WORKER_ALLOW_SHELL: expected true or false"],
    [{ NOETL_TOOL_MEMORY_MB: "1" }, "NOETL_TOOL_MEMORY_MB: expected at least 16, found 1"],
  ])("%p is refused", (environment, message) => {
    expect(() => read(workerSettings, environment)).toThrow(message);
  });
});

describe("the settings of a control plane", () => {
  test("give it every role unless they name some", () => {
    expect(read(controlSettings).NOETL_ROLES).toEqual([...controlRoles]);
    expect(read(controlSettings, { NOETL_ROLES: "api,sweeper" }).NOETL_ROLES).toEqual([
      "api",
      "sweeper",
    ]);
    expect(() => read(controlSettings, { NOETL_ROLES: "api,cook" })).toThrow("NOETL_ROLES");
  });

  test("send kinds of tools to pools", () => {
    const given = { NOETL_TOOL_POOLS: "python=cpu, duckdb = big" };
    expect(read(controlSettings, given).NOETL_TOOL_POOLS).toEqual({ python: "cpu", duckdb: "big" });
    expect(() => read(controlSettings, { NOETL_TOOL_POOLS: "python" })).toThrow("key=value");
  });

  test("are not repeated where they are secret", () => {
    const texts = { environment: { DATABASE_URL: "postgres://u:hunter2@h/d" }, file: {} };
    expect(JSON.stringify(readSettings(controlSettings, texts).shown)).not.toContain("hunter2");
  });
});

test("an environment that several processes share holds nothing unknown", () => {
  const known = processes.flatMap(({ settings }) => Object.keys(settings));
  const environment = { NOETL_POOLS: "a", NOETL_ROLES: "api", NOETL_PORT: "1", PATH: "/" };
  expect(unknownSettings({ environment, file: {} }, known)).toEqual([]);
  const typed = { environment: { NOETL_POOL: "a" }, file: { DATABASE: "x" } };
  expect(unknownSettings(typed, known)).toEqual([
    "NOETL_POOL in the environment is no setting, did you mean 'NOETL_POOLS'?",
    expect.stringContaining("DATABASE in"),
  ]);
});

test("every setting says what it expects, and its default is as expected", () => {
  for (const { settings } of processes) {
    for (const setting of Object.values(settings)) {
      expect(expectedText(setting)).not.toContain("was");
      expect(setting.text).toEndWith(".");
    }
    expect(() => read(settings)).not.toThrow();
  }
});
