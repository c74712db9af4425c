// Cases of the routes by which workers get what is secret.

import type { commandSecretRoutes } from "#core/wire/api-command-secrets";
import { badBodies, type RefusedCase, type RouteCase } from "./refused-cases.ts";

/** Whoever has not leased the command gets nothing. */
const foreign = (more: Readonly<Record<string, string>>): readonly RefusedCase[] =>
  [
    { worker: "w2", command_id: "$command", ...more },
    { worker: "w1", command_id: "$ended:s1:1", ...more },
    { worker: "w1", command_id: "none", ...more },
  ].map((body) => ({ body, status: 403, code: "forbidden" }));

export const commandSecretsCases: {
  readonly [Name in keyof typeof commandSecretRoutes]: RouteCase;
} = {
  commandCredential: {
    path: "/api/commands/credential",
    body: { worker: "w1", command_id: "$command", alias: "db" },
    answer: { name: "db", type: "postgres", data: { user: "ada" } },
    refused: [
      ...badBodies,
      {
        body: { worker: "w1", command_id: "$command", alias: "nobody" },
        status: 404,
        code: "not_found",
      },
      ...foreign({ alias: "db" }),
    ],
  },
  commandKeychain: {
    path: "/api/commands/keychain",
    body: { worker: "w1", command_id: "$command", name: "api" },
    status: 404,
    answer: { error: { code: "not_found", message: "keychain entry api does not exist" } },
    refused: [...badBodies, ...foreign({ name: "api" })],
  },
  commandCallback: {
    path: "/api/commands/callback",
    body: { worker: "w1", command_id: "$command" },
    status: 503,
    answer: { error: { code: "unavailable" } },
    refused: [...badBodies, ...foreign({})],
  },
};
