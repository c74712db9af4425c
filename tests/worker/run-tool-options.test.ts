// From an operator's settings to what the tools that run something elsewhere are told.

import { expect, test } from "bun:test";
import { readSettings } from "#core/adapters/configuration";
import { runToolSettings } from "#worker/config";
import { runToolOptions } from "#worker/run-tool-options";

const read = (environment: Readonly<Record<string, string>>) =>
  readSettings(runToolSettings, { environment, file: {} }).values;
const version = "1";

test("without settings no container runs, and no server has a name", () => {
  expect(runToolOptions(read({}), { version })).toEqual({
    mcp: { version },
    container: { runtime: "none", kubernetes: {} },
  });
});

test("every setting reaches its tool", () => {
  const values = read({
    NOETL_MCP_SERVERS: "shop=http://shop/mcp, crm=http://crm/mcp",
    NOETL_MCP_URL: "http://any/mcp",
    NOETL_CONTAINER_RUNTIME: "kubernetes",
    NOETL_KUBERNETES_URL: "https://cluster",
    NOETL_KUBERNETES_TOKEN_FILE: "/token",
    NOETL_KUBERNETES_CA_FILE: "/ca",
    NOETL_KUBERNETES_NAMESPACE: "jobs",
  });
  expect(runToolOptions(values, { version })).toEqual({
    mcp: {
      version,
      servers: { shop: "http://shop/mcp", crm: "http://crm/mcp" },
      url: "http://any/mcp",
    },
    container: {
      runtime: "kubernetes",
      kubernetes: { url: "https://cluster", tokenFile: "/token", caFile: "/ca", namespace: "jobs" },
    },
  });
});

test("containers report to where the setting says, else to where the worker itself does", () => {
  const serverUrl = () => "http://control";
  const callbackOf = (environment: Readonly<Record<string, string>>) =>
    runToolOptions(read(environment), {
      serverUrl,
      version,
    }).container?.kubernetes?.callbackUrl?.();
  expect(callbackOf({})).toBe("http://control");
  expect(callbackOf({ NOETL_CALLBACK_URL: "http://outside" })).toBe("http://outside");
});

test("containers can't report to a process that nobody can reach, whatever the setting says", () => {
  const values = read({ NOETL_CALLBACK_URL: "http://outside" });
  expect(runToolOptions(values, { version }).container?.kubernetes?.callbackUrl).toBeUndefined();
});

test("a runtime that there is not is refused by name", () => {
  expect(() => read({ NOETL_CONTAINER_RUNTIME: "lxc" })).toThrow("NOETL_CONTAINER_RUNTIME");
});
