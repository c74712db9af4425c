// Shows that `noetl doctor` sees what is there, names who holds a port, and fails only for what
// stops the product.
import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { doctor, type MachineCheck } from "#cli/doctor";

async function report(ports: Readonly<Record<string, number>>) {
  const printed: string[] = [];
  const directory = join(tmpdir(), "not", "made", "yet");
  const print = (text: string) => printed.push(text);
  const code = await doctor({ json: true, directory, ports, print, color: false });
  // The document is our own; the test reads the part of its shape that it names.
  const { healthy, checks } = JSON.parse(printed.join("\n")) as {
    healthy: boolean;
    checks: MachineCheck[];
  };
  return { code, healthy, find: (name: string) => checks.find((check) => check.name === name) };
}

test("reports the runtime, the disk above a folder that is not there yet, and the clock", async () => {
  const { code, healthy, find } = await report({});

  expect(find("bun")).toMatchObject({ status: "ok", found: expect.stringContaining(Bun.version) });
  expect(find("disk")?.found).toMatch(/^\d+\.\d GiB free under \//);
  expect(find("clock")?.found).toMatch(/^\d{4}-/);
  expect(healthy).toBe(code === 0);
});

test("tells a free port from a taken one, and says who took it where the system lets it", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;

  const taken = (await report({ gateway: port })).find(`port ${port}`);
  server.stop(true);
  const free = (await report({ gateway: port })).find(`port ${port}`);

  expect(taken?.status).toBe("warning");
  if (process.platform === "linux") expect(taken?.found).toContain(`process ${process.pid}`);
  expect(taken?.advice).toContain("next free port");
  expect(free?.status).toBe("ok");
});

test("gives the line to type for a program that is missing, and is not stopped by it", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";

  const { code, find } = await report({});
  process.env["PATH"] = path;

  expect(find("chromium")).toMatchObject({
    status: "warning",
    advice: expect.stringContaining("apt-get install -y --no-install-recommends chromium"),
  });
  expect(code).toBe(0);
});

test("prints one aligned row for each check, and an advice under its row", async () => {
  const printed: string[] = [];
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });

  await doctor({
    ports: { gateway: server.port },
    print: (text) => printed.push(text),
    color: false,
  });
  server.stop(true);

  const rows = printed.join("\n").split("\n");
  const row = rows.findIndex((text) => text.startsWith(`port ${server.port}`));
  const column = rows[row]?.indexOf("taken");
  expect(rows[row + 1]?.search(/\S/)).toBe(column ?? -1);
});
