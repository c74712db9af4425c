// What the proofs of the rows run in: one house with two playbooks to call, a server that says what
// it was asked, and a database where one is needed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileTemplate } from "#core/playbook/template";
import { postgresBin } from "#scripts/system-packages";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";
import { postgresMissing, startPostgres } from "#tests/support/postgres";
import { type Need, type Proof, rowPath } from "./row.ts";

export interface World {
  /** Runs the playbook of a proof under a path of its own. */
  run(proof: Extract<Proof, { readonly kind: "run" }>): Promise<HouseRun>;
  close(): Promise<void>;
}

const header = "apiVersion: noetl.io/v2\nkind: Playbook\n";
const child = `${header}metadata: {name: child, path: child}
workload: {n: 1}
workflow:
- step: end
  tool: {kind: noop, result: {n: "{{ n }}"}}
`;
const failing = `${header}metadata: {name: failing, path: failing}
workflow:
- step: start
  tool: {kind: http, url: "http://127.0.0.1:1/"}
`;

/** Why what a proof needs is not on this machine; undefined where it is. */
export function missing(need: Need | undefined): string | undefined {
  if (need === undefined) return undefined;
  if (need === "postgres") return postgresBin() === undefined ? postgresMissing : undefined;
  return Bun.which("python3") === null ? "expected python3 on PATH, found none" : undefined;
}

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "noetl-compatibility-"));
  const postgres = missing("postgres") === undefined ? await startPostgres() : undefined;
  const server = Bun.serve({ port: 0, fetch: answer });
  const { host = "", port = 0, user = "" } = postgres ?? {};
  const house: House = await startHouse({
    playbooks: [child, failing],
    credentials: [
      {
        name: "pg",
        type: "postgres",
        data: { host, port, user, database: "postgres", password: "" },
      },
      { name: "bearer", type: "bearer", data: { token: "t" } },
    ],
    policy: { shell: true, fileRoots: [folder] },
  });
  const http = `http://127.0.0.1:${server.port}`;
  let count = 0;
  return {
    run: async ({ playbook, workload }) => {
      const path = `${rowPath}/${++count}`;
      await house.register(playbook.replace(`path: ${rowPath}}`, () => `path: ${path}}`));
      return house.run(path, { http, folder, ...workload });
    },
    close: async () => {
      await house.close();
      await server.stop(true);
      await postgres?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Says what it was asked, or answers with the status that the path names. */
async function answer(request: Request): Promise<Response> {
  const { pathname: path, searchParams } = new URL(request.url);
  const status = /^\/status\/(\d+)$/.exec(path)?.[1];
  if (status !== undefined) return new Response("no", { status: Number(status) });
  return Response.json({
    method: request.method,
    path,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  });
}

/** The value of a template over a scope, at a fixed instant. */
export function rendered({ text, scope }: Extract<Proof, { readonly kind: "template" }>): unknown {
  const names = new Map<string, unknown>(Object.entries(scope));
  return compileTemplate(text).evaluate(names, { nowMs: 0 });
}
