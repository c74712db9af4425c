// Routes that workers call for what is secret, each for a command that they have leased.

import { type } from "arktype";
import { route } from "./route.ts";
import { map, name, someName } from "./shapes.ts";

const record = type({ name: "string", type: "string", data: map });

export const commandSecretRoutes = {
  commandCredential: route(
    "POST /api/commands/credential",
    {
      summary: "A credential for a command that the worker has leased",
      tag: "commands",
      access: "machine",
    },
    { body: type({ worker: someName, command_id: name, alias: "string" }), answer: record },
  ),
  commandKeychain: route(
    "POST /api/commands/keychain",
    {
      summary: "An entry of the playbook's keychain, for a command that the worker has leased",
      tag: "commands",
      access: "machine",
    },
    { body: type({ worker: someName, command_id: name, name: someName }), answer: record },
  ),
  commandCallback: route(
    "POST /api/commands/callback",
    {
      summary: "The token by which a call that goes on elsewhere may tell of its end",
      tag: "commands",
      access: "machine",
    },
    { body: type({ worker: someName, command_id: name }), answer: type({ token: "string" }) },
  ),
} as const;
