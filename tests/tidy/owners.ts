// Owns the table of third-party packages: each has one place that may import it, so that replacing
// one is a change in one place. A package that is not in the table is not in the house.
import { importsOf, packageOf } from "./imports.ts";
import type { Finding, SourceFile } from "./source.ts";

/** Package → beginnings of the paths that may import it. Tests may import any of them. */
export const owners: Readonly<Record<string, readonly string[]>> = {
  // Shapes are checked where they enter: documents, wire bodies, configuration.
  arktype: [
    "core/model/",
    "core/wire/",
    "core/playbook/",
    "control/routes/",
    "core/adapters/configuration",
    "control/config",
    "control/edge",
    "control/access/settings",
    "control/secrets/settings",
    "control/keychain/settings",
    "control/export/settings",
    "gateway/config",
    "worker/config",
    "cli/",
  ],
  yaml: ["core/playbook/"],
  // The database of the embedded shape; the worker and the command line use a scratch one.
  "@electric-sql/pglite": ["control/store/", "cli/"],
  "@electric-sql/pglite-socket": ["cli/"],
  // The proxy in front of a server that is not Neon speaks to it as any client does.
  pg: ["worker/tools/postgres", "scripts/neon-statements"],
  // Rows as streams, in and out.
  "pg-copy-streams": ["worker/tools/postgres-copy"],
  // PostgreSQL that is reached over HTTP and WebSocket.
  "@neondatabase/serverless": ["control/store/neon"],
  // The bus between processes.
  "@nats-io/transport-node": [
    "core/adapters/nats",
    "scripts/storm-faults",
    "scripts/storm-cursor-queue",
    "worker/tools/nats",
    "worker/cursor-nats",
  ],
  // A storm deletes the stream behind the back of whoever made it.
  "@nats-io/jetstream": [
    "core/adapters/nats",
    "scripts/storm-faults",
    "scripts/storm-cursor-queue",
    "worker/tools/nats",
    "worker/cursor-nats",
  ],
  "@nats-io/kv": ["worker/tools/nats"],
  "@nats-io/obj": ["worker/tools/nats"],
  "@nats-io/nats-core": ["core/adapters/nats"],
  // The frame of every HTTP floor: an app is a composition of its plugins.
  elysia: ["control/app", "control/documentation", "control/routes/", "gateway/"],
  "@duckdb/node-api": ["worker/tools/duckdb"],
  "@modelcontextprotocol/sdk": ["worker/tools/mcp", "control/mcp/"],
  // Tokens that are signed, and secrets that are sealed.
  jose: ["control/secrets/", "control/access/", "control/waits/", "worker/sealing", "cli/"],
  // When a schedule next says something, in any time zone.
  croner: ["control/schedules/"],
  "snowflake-sdk": ["worker/tools/snowflake"],
  "quickjs-emscripten-core": ["worker/tools/javascript"],
  "@jitl/quickjs-ng-wasmfile-release-sync": ["worker/tools/javascript"],
  "fast-check": [],
  // Reads the description of the image as the tools for containers do.
  "dockerfile-utils": [],
  "bun:test": [],
  bun: ["core/adapters/", "control/", "gateway/", "worker/", "cli/", "scripts/"],
};

/** A package is imported by its owner alone. */
export function ownerRule(
  file: SourceFile,
  table: Readonly<Record<string, readonly string[]>> = owners,
): readonly Finding[] {
  return importsOf(file).flatMap(({ specifier, line }) => {
    const name = packageOf(specifier);
    if (name === undefined || name.startsWith("node:")) return [];
    const finding = (message: string) => [{ path: file.path, line, rule: "owner", message }];
    const places = table[name] ?? (name.startsWith("bun:") ? table["bun"] : undefined);
    if (places === undefined) {
      return finding(`found ${name}, which has no owner; add it to tests/tidy/owners.ts`);
    }
    if (file.path.startsWith("tests/")) return [];
    if (places.some((place) => file.path.startsWith(place))) return [];
    const home = places.length === 0 ? "tests/" : places.join(", ");
    return finding(`found ${name}; only ${home} may import it`);
  });
}
