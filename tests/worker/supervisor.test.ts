// The parent of several workers: what it says of workers that keep dying, and when it gives up.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { superviseDeathsMax } from "#core/model/limits";
import { eventually } from "#tests/support/control";
import { failing, serveHealth } from "#worker/health";
import { type Supervisor, supervise } from "#worker/supervisor";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "noetl-supervisor-"));
});
const open: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of open.splice(0)) {
    supervisor.stop();
    await supervisor.ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

const lastCode = 3;

/** Workers that are shell scripts, and what is said of them. */
function watched(processes: number, script: string) {
  const told: string[] = [];
  const supervisor = supervise({
    processes,
    command: ["sh", "-c", script],
    environment: { PATH: process.env["PATH"], FOLDER: folder },
    report: (message) => void told.push(message),
    lastCode,
  });
  open.push(supervisor);
  return { supervisor, told };
}

const dead = (told: readonly string[], count: number) =>
  eventually(async () => (told.length >= count ? true : undefined));

describe("a parent of workers", () => {
  test("is well while they live, and when one of them has died", async () => {
    const { supervisor, told } = watched(2, 'mkdir "$FOLDER/once" 2>/dev/null && exit 1; sleep 60');
    expect(supervisor.isWell()).toBe(true);
    await dead(told, 1);
    await eventually(async () => (supervisor.pids().length === 2 ? true : undefined));
    expect(supervisor.isWell()).toBe(true);
  });

  test("is not well once one of them has died again and again", async () => {
    const { supervisor, told } = watched(1, "exit 1");
    await dead(told, superviseDeathsMax - 1);
    expect(supervisor.isWell()).toBe(true);
    await dead(told, superviseDeathsMax);
    expect(supervisor.isWell()).toBe(false);
  }, 60_000);

  test("is not well when several have died at about the same time", async () => {
    const { supervisor, told } = watched(superviseDeathsMax, "exit 1");
    await dead(told, superviseDeathsMax);
    expect(supervisor.isWell()).toBe(false);
  });

  test("ends with all of them when one says that another start is of no use", async () => {
    const script = `mkdir "$FOLDER/first" 2>/dev/null && exit ${lastCode}; exec sleep 60`;
    const { supervisor, told } = watched(3, script);
    expect(await supervisor.ended).toBe(lastCode);
    expect(supervisor.pids()).toEqual([]);
    expect(told).toEqual([]);
  });

  test("ends without a code when it was told to", async () => {
    const { supervisor } = watched(2, "exec sleep 60");
    supervisor.stop();
    expect(await supervisor.ended).toBeUndefined();
  });
});

test("ill health is answered with 503, for those who look at the status alone", async () => {
  let status = "ok";
  const server = serveHealth(0, () => ({ status, processes: 2 }));
  const well = await fetch(server.url);
  status = failing;
  const ill = await fetch(server.url);
  await server.stop();
  expect([well.status, ill.status]).toEqual([200, 503]);
  expect(await ill.json()).toEqual({ status: "failing", processes: 2 });
});
