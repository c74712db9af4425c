// Cases of the routes by which workers get what is secret.

import type { commandSecretRoutes } from "#core/wire/api-command-secrets";
import { badBodies, invalid, type RefusedCase, type RouteCase } from "./refused-cases.ts";

/** A public key of the curve X25519. */
const key = { kty: "OKP", crv: "X25519", x: "EVfnqEjR0l7eSPB590bQNUCqGN77HIBt5q6Gl8wT8i0" };

/** Whoever has not leased the command gets nothing. */
const foreign = (more: Readonly<Record<string, unknown>>): readonly RefusedCase[] =>
  [
    { worker: "w2", command_id: "$command", ...more },
    { worker: "w1", command_id: "$ended:s1:1", ...more },
    { worker: "w1", command_id: "none", ...more },
  ].map((body) => ({ body, status: 403, code: "forbidden" }));

const badKeys: readonly unknown[] = [
  {},
  "key",
  { ...key, x: key.x.slice(1) },
  { ...key, x: "A".repeat(43) },
  { ...key, crv: "Ed25519" },
  { kty: "EC", crv: "P-256", x: key.x, y: key.x },
  { ...key, d: key.x },
  { kty: "oct", k: key.x },
];
const unsealable = (more: Readonly<Record<string, unknown>>): readonly RefusedCase[] => [
  invalid({ worker: "w1", command_id: "$command", ...more }),
  ...badKeys.map((bad) => invalid({ worker: "w1", command_id: "$command", ...more, key: bad })),
  {
    body: { worker: "w1", command_id: "$command", ...more, key: { ...key, use: "u".repeat(500) } },
    status: 413,
    code: "too_large",
  },
];

export const commandSecretsCases: {
  readonly [Name in keyof typeof commandSecretRoutes]: RouteCase;
} = {
  commandCredential: {
    path: "/api/commands/credential",
    body: { worker: "w1", command_id: "$command", alias: "db", key },
    answer: { name: "db", type: "postgres" },
    refused: [
      ...badBodies,
      {
        body: { worker: "w1", command_id: "$command", alias: "nobody", key },
        status: 404,
        code: "not_found",
      },
      ...foreign({ alias: "db", key }),
      ...unsealable({ alias: "db" }),
    ],
  },
  commandKeychain: {
    path: "/api/commands/keychain",
    body: { worker: "w1", command_id: "$command", name: "api", key },
    status: 404,
    answer: { error: { code: "not_found", message: "keychain entry api does not exist" } },
    refused: [...badBodies, ...foreign({ name: "api", key })],
  },
  commandSecret: {
    path: "/api/commands/secret",
    body: { worker: "w1", command_id: "$command", as: "api", ask: {} },
    status: 422,
    answer: { error: { code: "invalid" } },
    refused: [...badBodies, ...foreign({ as: "api", ask: {} })],
  },
  commandCallback: {
    path: "/api/commands/callback",
    body: { worker: "w1", command_id: "$command" },
    // Nothing is signed here, and nothing asks for it.
    answer: { token: "" },
    refused: [...badBodies, ...foreign({})],
  },
};
