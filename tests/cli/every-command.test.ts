// What all commands have: a help, a refusal of what they don't know, JSON where it is asked for, and
// an exit code that says whether there was no server, or one that didn't let them in.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { commands } from "#cli/commands";
import type { Command } from "#cli/commands/command";
import { runHere } from "./in-process.ts";
import { workplace } from "./noetl.ts";

const place = workplace();
const home = { NOETL_CONFIG_HOME: place.folder, NOETL_DIRECTORY: place.path("noetl") };
const run = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runHere(argv, { ...home, ...environment });

interface Leaf {
  readonly path: string;
  readonly command: Command;
}

function leaves(among: readonly Command[], above: readonly string[] = []): readonly Leaf[] {
  return among.flatMap((command) => {
    const path = [...above, command.name];
    const own = command.run === undefined ? [] : [{ path: path.join(" "), command }];
    return [...own, ...leaves(command.sub ?? [], path)];
  });
}

const all = leaves(commands);
/** `import` asks two: its own tests have it. */
const remote = all.filter(({ path, command: { flags } }) => {
  return path !== "import" && flags["server"]?.group === "server" && flags["json"] !== undefined;
});

const id = "382770853894426624";
const file = place.path("file.yaml");
writeFileSync(
  file,
  `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: x, path: t/x}
workflow: [{step: start, tool: {kind: noop}}]
`,
);
writeFileSync(place.path("credential.yaml"), "name: c\ntype: generic\ndata: {token: secret-1}\n");

/** What each of them takes at least; those that aren't here take nothing. */
const operands: Readonly<Record<string, readonly string[]>> = {
  run: ["t/x"],
  register: [file],
  "catalog register": [file],
  "catalog get": ["t/x"],
  "catalog versions": ["t/x"],
  "catalog diff": ["t/x"],
  "catalog search": ["x"],
  "catalog delete": ["t/x"],
  "catalog restore": ["t/x"],
  status: [id],
  replay: [id],
  rebuild: [id],
  verify: [id],
  events: [id],
  logs: [id],
  why: [id],
  cancel: [id],
  rerun: [id],
  finalize: [id],
  cleanup: ["--older-than-minutes", "5"],
  signal: [id, "go"],
  "approvals approve": [id, "go"],
  "approvals reject": [id, "go"],
  "approvals link": [id, "go"],
  "rule set": ["pool:default", "--max", "1"],
  "rule delete": ["pool:default"],
  "dead-letter retry": [id],
  "dead-letter drop": [id],
  "token create": ["ci"],
  "token revoke": ["t1"],
  "user add": ["a@example.org"],
  "user role": ["u1", "viewer"],
  "user remove": ["u1"],
  "credential add": ["c", "--file", place.path("credential.yaml")],
  "credential get": ["c"],
  "credential delete": ["c"],
  "keychain list": [id],
  "keychain get": [id, "k"],
  "keychain delete": [id, "k"],
  "schedule create": ["t/x", "--every", "1h"],
  "schedule get": [id],
  "schedule pause": [id],
  "schedule resume": [id],
  "schedule delete": [id],
  "schedule trigger": [id],
  "schedule backfill": [id, "--from", "2h", "--to", "1h"],
  "schedule next": [id],
  "schedule ticks": [id],
  query: ["select 1"],
  search: ["what failed"],
  "execute playbook": ["t/x"],
  "execute status": [id],
  "execute rerun": [id],
  "get credential": ["c"],
  "get playbook": ["t/x"],
};

/** Answers everybody as one whom nobody knows. */
let url = "";
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () =>
    Response.json(
      { error: { code: "unauthenticated", message: "expected an access token, found none" } },
      { status: 401 },
    ),
});
beforeAll(() => {
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.stop(true);
  place.remove();
});

test("every command has a help that says how it is called, and refuses flags it doesn't have", async () => {
  for (const { path, command } of all) {
    const help = await run([...path.split(" "), "--help"]);
    expect([path, help.exitCode]).toEqual([path, 0]);
    expect(help.out).toContain(`usage: noetl ${path}`);
    expect(help.out).toContain(command.about);
    const unknown = await run([...path.split(" "), "--no-such-flag"]);
    expect([path, unknown.exitCode]).toEqual([path, 2]);
    expect(unknown.err).toContain("unknown flag --no-such-flag");
  }
});

test("names that nobody has are refused on every level, with what was probably meant", async () => {
  for (const group of commands.filter(({ run }) => run === undefined)) {
    const [first] = group.sub ?? [];
    const wrong = await run([group.name, `${first?.name ?? ""}x`]);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.err).toContain(`did you mean '${first?.name}'?`);
    expect((await run([group.name])).err).toContain(`expected noetl ${group.name} and one of`);
  }
});

describe("every command that asks a control plane", () => {
  test.each(remote.map(({ path }) => path))("%s", async (path) => {
    const argv = [...path.split(" "), ...(operands[path] ?? []), "--json"];
    const none = await run(argv);
    expect(none.exitCode).toBe(2);
    expect(none.err).toMatch(/no control plane|no server to run/);

    const absent = await run(argv, { NOETL_SERVER_URL: "http://127.0.0.1:1" });
    expect(absent.exitCode).toBe(1);
    expect(absent.err).toContain("noetl doctor");
    expect(JSON.parse(absent.out)).toMatchObject({ error: { code: "unavailable" } });

    const unknown = await run(argv, { NOETL_SERVER_URL: url, NOETL_TOKEN: "secret-1" });
    expect(unknown.exitCode).toBe(4);
    expect(JSON.parse(unknown.out)).toMatchObject({ error: { code: "unauthenticated" } });
    expect(unknown.out + unknown.err).not.toContain("secret-1");
  });
});
