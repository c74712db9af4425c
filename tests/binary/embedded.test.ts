// The embedded shape from the compiled binary alone: every kind of tool, and every command that a
// newcomer meets, in a folder of its own and out of sight of the checkout.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toolKinds } from "#core/playbook/tool-fields";
import { type RunningExamplesApi, startExamplesApi } from "#scripts/examples-api";
import { repositoryRoot } from "#scripts/install";
import { type Running, type Workplace, workplace } from "#tests/cli/noetl";
import { binaryTestMs, canHide, runBinary, startBinary, withoutCheckout } from "./binary.ts";

/** What is run, with a part of what it has to say. */
const examples: Readonly<Record<string, unknown>> = {
  etl: { stored: expect.any(Array) },
  large_result: { stored: true },
  order_total: {},
  shell: { exit_code: 3 },
  sub_playbook: {},
  transform: {},
  workbook: expect.stringContaining(" looks at "),
};

/** Nobody listens there. */
const nowhere = "http://127.0.0.1:9";
const keys = `endpoint: "${nowhere}", access_key_id: a, secret_access_key: s`;

/** Kinds whose services aren't here: their code is loaded, and says what it misses. */
const unreached: Readonly<Record<string, readonly [tool: string, error: string]>> = {
  nats: [
    `operation: kv_get, bucket: b, key: k, url: "nats://127.0.0.1:9", timeout: 3`,
    "cannot use nats at 127.0.0.1:9",
  ],
  transfer: [
    `source: {type: http, url: "${nowhere}"}, target: {type: file, path: out.csv, format: csv}`,
    `cannot reach ${nowhere}`,
  ],
  s3: [`operation: get, uri: "s3://b/k", ${keys}`, "cannot use s3 at 127.0.0.1:9"],
  gcs: [`operation: get, uri: "gs://b/k", ${keys}`, "cannot use gcs at 127.0.0.1:9"],
  file: ["operation: get, uri: nothing.txt", "the file cannot be used: ENOENT"],
  ducklake: [
    `catalog_connection: none.ducklake, data_path: data, command: "select 1"`,
    "NOETL_DUCKDB_EXTENSIONS",
  ],
  mcp: ["server: tools, tool: t", "NOETL_MCP_SERVERS"],
  container: ["image: none, runtime: podman", "NOETL_CONTAINER_RUNTIME"],
  snowflake: [
    `account: a, user: u, password: p, host: 127.0.0.1, command: "select 1"`,
    "ECONNREFUSED",
  ],
  secrets: [
    `provider: vault, vault_url: "https://127.0.0.1:9", ref: secret/app`,
    "Vault: expected token or role_id or role",
  ],
  agent: ["framework: noetl, entrypoint: nobody", "playbook nobody is not in the catalog"],
};

const printing = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: printing, path: printing}
workflow:
  - step: start
    tool:
      - {name: one, kind: python, code: "print('printed by python')"}
      - {name: two, kind: javascript, code: "console.log('printed by javascript')"}
`;

const oneStep = (name: string, tool: string): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: one/${name}}
workflow:
  - step: start
    tool: ${tool}
`;

let place: Workplace;
let api: RunningExamplesApi;
let dev: Running;

beforeAll(async () => {
  place = workplace();
  cpSync(join(repositoryRoot, "examples"), place.path("examples"), { recursive: true });
  api = startExamplesApi({ port: 0 });
  dev = await startBinary(["dev", "--port", "0"], { cwd: place.folder });
  await dev.says(/playbooks of examples\/ are in the catalog/);
}, binaryTestMs);
afterAll(async () => {
  dev.signal("SIGTERM");
  await dev.ended;
  await api.stop();
  place.remove();
});

const say = (...argv: string[]) => runBinary(argv, { cwd: place.folder });

test("the checkout is out of sight of the binary wherever a mount may hide it", () => {
  const [program = "", ...rest] = withoutCheckout(place.folder);
  const { stdout } = Bun.spawnSync([program, ...rest, "ls", repositoryRoot]);
  const seen = stdout.toString().trim() !== "";
  expect(seen).toBe(!canHide);
});

describe("every kind of tool runs from the binary", () => {
  test("the playbooks that are run use them all", () => {
    const texts = Object.keys(examples).map((name) =>
      readFileSync(join(repositoryRoot, "examples", `${name}.yaml`), "utf8"),
    );
    const named = texts.flatMap((text) => [...text.matchAll(/kind: (\w+)/g)]).map((m) => m[1]);
    const used = new Set([...named, ...Object.keys(unreached), "wait"]);
    expect([...toolKinds.keys()].filter((kind) => !used.has(kind))).toEqual([]);
  });

  for (const [name, expected] of Object.entries(examples)) {
    test(
      `examples/${name}, on the database of noetl dev`,
      async () => {
        const set = ["--set", `api=${api.url}`];
        const { exitCode, out, err } = await say("run", `examples/${name}`, ...set, "--json");
        expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
        expect(JSON.parse(out)).toMatchObject({ status: "completed", result: expected });
      },
      binaryTestMs,
    );
  }
});

describe("a tool whose service is not here says so from the binary", () => {
  for (const [kind, [fields, error]] of Object.entries(unreached)) {
    test(
      kind,
      async () => {
        const tool = `{kind: ${kind}, ${fields}}`;
        const file = place.write(`one/${kind}.yaml`, oneStep(kind, tool));
        const { exitCode, out } = await say("run", file, "--json");
        expect(exitCode).toBe(1);
        expect(out).toContain(error);
      },
      binaryTestMs,
    );
  }

  test(
    "and a wait needs none",
    async () => {
      const file = place.write(
        "one/wait.yaml",
        oneStep("wait", "{kind: wait, for: timer, seconds: 0}"),
      );
      expect((await say("run", file, "--json")).exitCode).toBe(0);
    },
    binaryTestMs,
  );
});

describe("the commands of a newcomer run from the binary", () => {
  test(
    "what ran is listed, whole, and what its tools printed is kept",
    async () => {
      const file = place.write("printing.yaml", printing);
      const ran = await say("run", file, "--server", serverOf(dev), "--json");
      const { execution_id: id } = JSON.parse(ran.out) as { readonly execution_id: string };
      const logs = await say("logs", id);
      const verdict = await say("verify", "--all", "--json");
      expect({ ...logs, out: logs.out.replace(/^\S+ /gm, "") }).toEqual({
        exitCode: 0,
        out: "stdout start: printed by python\nstdout start: printed by javascript\n",
        err: "",
      });
      expect(JSON.parse(verdict.out)).toMatchObject({ problems: [] });
    },
    binaryTestMs,
  );

  test(
    "init writes a playbook that validate and run accept, with the schema beside it",
    async () => {
      const wrote = await say("init", "hello.yaml");
      expect(wrote).toMatchObject({ exitCode: 0, err: "" });
      expect((await say("validate", "hello.yaml")).exitCode).toBe(0);
      expect((await say("run", "hello.yaml")).out).toContain("completed");
      expect(readFileSync(place.path(".noetl/playbook.schema.json"), "utf8")).toStartWith("{");
    },
    binaryTestMs,
  );

  test("a playbook that is not fit to run is refused with its place", async () => {
    const file = place.write("bad.yaml", printing.replace("kind: python", "kind: pyton"));
    const { exitCode, out, err } = await say("validate", file);
    expect(exitCode).toBe(2);
    expect(out + err).toMatch(/bad\.yaml:\d+:\d+: .*pyton/);
  });

  test("nothing is left in the working directory beside .noetl", () => {
    const own = ["bad.yaml", "examples", "hello.yaml", "one", "printing.yaml"];
    const found = readdirSync(place.folder).filter((name) => !own.includes(name));
    expect(found).toEqual([".noetl"]);
  });

  test("settings of the folder it is called in that are not its own change nothing", async () => {
    const other = workplace({
      ".env": "NOETL_SLOTS=7\n",
      "bunfig.toml": 'preload = ["./preload.ts"]\n',
      "preload.ts": 'console.log("preloaded");\n',
    });
    const { exitCode, out } = await runBinary(["config", "--json"], { cwd: other.folder });
    other.remove();
    expect(exitCode).toBe(0);
    expect(out).not.toContain("preloaded");
    const { settings } = JSON.parse(out) as { readonly settings: readonly object[] };
    const slots = settings.filter((setting) => "name" in setting && setting.name === "NOETL_SLOTS");
    expect(slots).not.toEqual([]);
    for (const setting of slots) expect(setting).toMatchObject({ source: "default" });
  });
});

function serverOf(running: Running): string {
  return /http:\/\/\S+:\d+/.exec(running.out())?.[0] ?? "";
}
