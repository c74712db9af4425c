// Routes that workers call for what is secret, each for a command that they have leased. What they
// are given is sealed to the key that they send: it is of use to that process alone.

import { type } from "arktype";
import { route } from "./route.ts";
import { map, name, someName, strings } from "./shapes.ts";

/** `sealed` is a compact JWE (ECDH-ES, A256GCM) whose `apu` is the id of the command. */
const record = type({ name: "string", type: "string", sealed: "string" });

const leased = { worker: someName, command_id: name } as const;
/** A JSON Web Key of the curve X25519, its public half. */
const key = map;

export const commandSecretRoutes = {
  commandCredential: route(
    "POST /api/commands/credential",
    {
      summary: "A credential for a command that the worker has leased",
      description:
        "Given sealed to `key`, and only where tenant, playbook and pool of the command " +
        "may use it.",
      tag: "commands",
      access: "machine",
    },
    { body: type({ ...leased, alias: someName, key }), answer: record },
  ),
  commandKeychain: route(
    "POST /api/commands/keychain",
    {
      summary: "An entry of the playbook's keychain, for a command that the worker has leased",
      description: "Given sealed to `key`.",
      tag: "commands",
      access: "machine",
    },
    { body: type({ ...leased, name: someName, key }), answer: record },
  ),
  commandSecret: route(
    "POST /api/commands/secret",
    {
      summary: "Have a secret read, for a command that the worker has leased",
      description:
        "It is kept for the rest of the execution, and read like an entry of the keychain " +
        "by the name `as`; the answer tells the names of its fields.",
      tag: "commands",
      access: "machine",
    },
    { body: type({ ...leased, as: someName, ask: map }), answer: type({ keys: strings }) },
  ),
  commandCallback: route(
    "POST /api/commands/callback",
    {
      summary: "The token by which a call that goes on elsewhere may tell of its end",
      tag: "commands",
      access: "machine",
    },
    { body: type(leased), answer: type({ token: "string" }) },
  ),
} as const;
