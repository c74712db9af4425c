// Commands against a control plane that wants to know who asks: what they do there, and what they
// show of it, as a table and as JSON.

import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Listening, listen } from "#core/adapters/listen";
import { type Gate, openGate } from "#tests/access/gate";
import { onMemory } from "#tests/support/control";
import { runHere } from "./in-process.ts";
import { workplace } from "./noetl.ts";

setDefaultTimeout(30_000);
const place = workplace();
afterAll(() => place.remove());

const playbook = (code = "1") => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: one, path: t/one, description: counts things}
workload: {n: 1}
workflow:
  - step: start
    tool: {kind: python, code: "result = ${code}"}
`;
const approval = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ask, path: t/ask}
workflow:
  - step: start
    tool: {kind: wait, for: approval, key: go, timeout_s: 3600}
`;

onMemory((shelf) => {
  let gate: Gate | undefined;
  let server: Listening | undefined;
  beforeEach(async () => {
    gate = await openGate(shelf());
    server = listen(gate.world.control.fetch, { host: "127.0.0.1", port: 0 });
  });
  afterEach(() => server?.stop());
  const here = (): Gate => {
    if (gate === undefined) throw new Error("expected the hooks to have run");
    return gate;
  };
  const noetl = (argv: readonly string[], token = here().root) =>
    runHere(argv, {
      ...{ NOETL_CONFIG_HOME: place.folder, NOETL_DIRECTORY: place.path("noetl") },
      NOETL_SERVER_URL: server?.url ?? "",
      NOETL_TOKEN: token,
    });
  const json = async (...argv: readonly string[]) => {
    const { exitCode, out, err } = await noetl([...argv, "--json"]);
    expect([argv, exitCode, err]).toEqual([argv, 0, ""]);
    return JSON.parse(out);
  };
  const lines = async (...argv: readonly string[]): Promise<readonly string[]> => {
    const { exitCode, out, err } = await noetl(argv);
    expect([argv, exitCode, err]).toEqual([argv, 0, ""]);
    return out.trimEnd().split("\n");
  };

  test("whoami, people and tokens: a token is shown once, and refused once it is revoked", async () => {
    expect(await json("whoami")).toMatchObject({ kind: "person", platform: true });
    const added = await json("user", "add", "ada@example.org", "--role", "editor");
    expect((await lines("user", "list")).join("\n")).toMatch(
      /ada@example\.org .*editor of default/,
    );
    const made = await noetl([
      "token",
      "create",
      "ci",
      "--role",
      "viewer",
      "--user",
      added.user_id,
    ]);
    const token = made.out.trim();
    expect(made.err).toContain("viewer of default until ");
    expect(made.err).not.toContain(token);
    expect(JSON.parse((await noetl(["whoami", "--json"], token)).out)).toMatchObject({
      role: "viewer",
      tenant: "default",
    });
    const refused = await noetl(["register", place.write("one.yaml", playbook())], token);
    expect(refused.exitCode).toBe(4);
    expect(refused.err).toContain("expected role editor, found role viewer");

    const [row] = (await json("token", "list", "--user", added.user_id)).tokens;
    expect(await lines("token", "revoke", row.token_id)).toEqual([`${row.token_id}: revoked`]);
    expect((await noetl(["whoami"], token)).exitCode).toBe(4);
    expect(await lines("user", "role", "ada@example.org", "operator")).toEqual([
      "ada@example.org: operator",
    ]);
    await lines("user", "remove", "ada@example.org", "--everywhere");
    expect((await json("user", "list")).users).not.toContainEqual(
      expect.objectContaining({ email: "ada@example.org" }),
    );
    const audited = (await lines("audit", "list", "--action", "token.create")).join("\n");
    expect(audited).toMatch(/token\.create .*done/);
    expect((await lines("audit", "verify")).join("\n")).toMatch(/entries: whole/);
  });

  test("the catalog: files, kinds, versions, what has changed, put away and brought back", async () => {
    const file = place.write("one.yaml", playbook());
    expect(await lines("register", file)).toEqual([`${file}: t/one version 1`]);
    expect((await json("register", "playbook", "-f", file)).registered).toEqual([
      { file, path: "t/one", version: 1, created: false },
    ]);
    place.write("one.yaml", playbook("2"));
    await lines("catalog", "register", file);
    expect((await lines("catalog", "versions", "t/one")).length).toBe(3);
    expect((await lines("catalog", "diff", "t/one")).join("\n")).toContain('"result = 2"');
    expect((await lines("list", "playbook")).join("\n")).toMatch(/t\/one +2 +playbook/i);
    expect((await lines("catalog", "search", "counts")).join("\n")).toContain("t/one");
    const got = await noetl(["catalog", "get", "t/one", "--version", "1"]);
    expect(got.out).toContain('"result = 1"');
    await lines("catalog", "delete", "t/one");
    expect((await json("catalog", "list")).entries).toEqual([]);
    const archived = await noetl(["run", "t/one"]);
    expect(archived.exitCode).toBe(1);
    expect(archived.err).toContain("archived");
    await lines("catalog", "restore", "t/one");
    expect((await json("catalog", "list")).entries).toHaveLength(1);
    const bad = await noetl(["register", place.write("bad.yaml", "kind: Playbook\nx: [")]);
    expect(bad.exitCode).toBe(2);
  });

  test("executions: lists by every filter and page by page, started over, ended by hand", async () => {
    const client = here().as(here().root);
    await client.registerCatalog({ body: { content: playbook() } });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.push((await client.execute({ body: { path: "t/one" } })).execution_id);
    }
    const newest = ids.toReversed();
    const listed = async (...flags: readonly string[]): Promise<readonly string[]> =>
      (await json("list", ...flags)).executions.map(
        (row: { readonly execution_id: string }) => row.execution_id,
      );
    expect(await listed()).toEqual(newest);
    expect(await listed("--limit", "2")).toEqual(newest.slice(0, 2));
    expect(await listed("--all")).toEqual(newest);
    expect(await listed("--since", "1h", "--prefix", "t/", "--status", "running")).toEqual(newest);
    expect(await listed("--until", "1h")).toEqual([]);
    expect(await listed("--before", newest[0] ?? "")).toEqual(newest.slice(1));

    const [id = ""] = ids;
    const again = await json("rerun", id, "--set", "n=5", "--dedup", "once");
    expect(again).toMatchObject({ rerun_of: id, status: "started" });
    expect(await json("rerun", id, "--dedup", "once")).toMatchObject({
      execution_id: again.execution_id,
      status: "duplicate",
    });
    const from = await json("rerun", id, "--from", "start");
    expect(from).toMatchObject({ rerun_of: id, status: "started" });
    expect((await noetl(["rerun", id, "--from", "start", "--dedup", "x"])).exitCode).toBe(2);
    expect((await noetl(["rerun", id, "--from", "nowhere"])).exitCode).toBe(1);
    await lines("finalize", id, "--status", "completed", "--reason", "by hand");
    expect((await json("status", id)).status.toLowerCase()).toBe("completed");
    expect(await lines("cancel", again.execution_id, "--cascade")).toHaveLength(1);
    const old = await json("cleanup", "--older-than-minutes", "5", "--dry-run");
    expect(old).toMatchObject({ dry_run: true, execution_ids: [] });
    expect((await lines("events", id)).at(-1)).toContain("finalized=completed");
    expect(await json("execute", "status", id)).toEqual(await json("status", id));
  });

  test("what executions wait for, and the decision of a person", async () => {
    const client = here().as(here().root);
    await client.registerCatalog({ body: { content: approval } });
    const { execution_id: id } = await client.execute({ body: { path: "t/ask" } });
    await here().world.control.sweep.sweepOnce();
    expect((await lines("waits", id)).join("\n")).toMatch(/approval +go/);
    const early = await noetl(["approvals", "approve", id, "nothing-like-it"]);
    expect(early.exitCode).toBe(1);
    expect(await lines("approvals", "approve", id, "go", "--comment", "fine")).toEqual([
      `${id}: go: approved`,
    ]);
    expect((await json("status", id)).status.toLowerCase()).toBe("completed");
  });

  test("a signal reaches the step that waits for it, with its data", async () => {
    const client = here().as(here().root);
    const content = approval.replace("approval", "signal").replaceAll("ask", "hear");
    await client.registerCatalog({ body: { content } });
    const { execution_id: id } = await client.execute({ body: { path: "t/hear" } });
    await here().world.control.sweep.sweepOnce();
    const bad = await noetl(["signal", id, "go", "--data", "{"]);
    expect([bad.exitCode, bad.err]).toEqual([2, "noetl: --data: expected JSON\n"]);
    expect(await lines("signal", id, "go", "--data", '{"lines": 3}')).toEqual([
      `${id}: go: accepted`,
    ]);
    expect(await json("status", id)).toMatchObject({ status: "COMPLETED" });
    expect((await noetl(["search", "anything"])).err).toContain("search");
  });

  test("schedules from the first to the last", async () => {
    const client = here().as(here().root);
    await client.registerCatalog({ body: { content: playbook() } });
    const cron = ["--cron", "0 9 * * 1", "--timezone", "Europe/Berlin", "--name", "mondays"];
    const made = await json("schedule", "create", "t/one", ...cron, "--set", "n=2");
    expect(made).toMatchObject({ cron: "0 9 * * 1", workload: { n: 2 }, status: "active" });
    const id: string = made.schedule_id;
    expect((await lines("schedule", "list")).join("\n")).toMatch(/mondays +t\/one +0 9 \* \* 1/);
    expect((await json("schedule", "next", id, "--count", "3")).ticks).toHaveLength(3);
    expect((await json("schedule", "next", "--every", "1h", "--count", "2")).ticks).toHaveLength(2);
    expect((await lines("schedule", "pause", id, "--until", "2h")).join()).toContain(
      "paused until",
    );
    expect((await lines("schedule", "resume", id)).join()).toContain("next at");
    expect(await json("schedule", "trigger", id)).toMatchObject({ existed: false });
    const range = ["--from", "2025-01-01T00:00:00Z", "--to", "2025-02-01", "--dry-run"];
    const missed = await json("schedule", "backfill", id, ...range);
    expect(missed.ticks.length).toBeGreaterThan(0);
    expect((await json("schedule", "ticks", id)).ticks).toBeArray();
    await lines("schedule", "delete", id);
    expect((await json("schedule", "list")).schedules).toEqual([]);
    const times = ["--cron", "* * * * *", "--every", "1h"];
    const both = await noetl(["schedule", "create", "t/one", ...times]);
    expect(both.exitCode).toBe(2);
  });

  test("credentials go in by a file, and what is secret comes out only where it is asked for", async () => {
    const file = place.write(
      "c.yaml",
      "name: warehouse\ntype: postgres\ndata: {host: db.example, password: secret-1}\ntags: [a, b]\n",
    );
    const said = [
      await noetl(["register", "credential", "-f", file]),
      await noetl(["credential", "list"]),
      await noetl(["credential", "list", "--json"]),
      await noetl(["credential", "get", "warehouse"]),
      await noetl(["credential", "add", "warehouse", "--file", file, "--description", "mine"]),
      await noetl(["credential", "keys"]),
    ];
    for (const { exitCode, out, err } of said) {
      expect([exitCode, err]).toEqual([0, ""]);
      expect(out).not.toContain("secret-1");
    }
    expect(said[4]?.out).toContain("replaced, revision 2");
    const shown = await json("get", "credential", "warehouse", "--include-data");
    expect(shown.data).toEqual({ host: "db.example", password: "secret-1" });
    expect(
      (await lines("audit", "list", "--object", "credential/warehouse")).length,
    ).toBeGreaterThan(3);
    const argv = await noetl(["credential", "add", "x", "--field", "password=secret-1"]);
    expect(argv.exitCode).toBe(2);
    expect(argv.err).not.toContain("secret-1");
    await lines("credential", "delete", "warehouse");
    expect((await noetl(["credential", "get", "warehouse"])).exitCode).toBe(1);
  });
});
