// `noetl keychain`: what a control plane keeps of the keychains of its playbooks, told without what
// is secret of it, and how to have it fetched anew.

import { isSnowflake } from "#core/model/ids";
import { type Arguments, UsageError } from "./arguments.ts";
import { given, oneOf } from "./given.ts";
import { fieldLines, printed } from "./printed.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";

export const keychainScopes = ["local", "shared", "global"] as const;

type Client = Awaited<ReturnType<typeof neededServer>>["client"];

/** A version of a playbook by its catalog id, or by its path, the newest. */
async function catalogId(client: Client, reference: string): Promise<string> {
  if (isSnowflake(reference)) return reference;
  if (reference === "") throw new UsageError("expected a playbook");
  return (await client.catalogResource({ body: { path: reference } })).catalog_id;
}

export async function listKeychain(args: Arguments): Promise<number> {
  const [reference = ""] = args.operands;
  const { client } = await neededServer(args);
  const params = { catalog_id: await catalogId(client, reference) };
  return printed(args, await client.listKeychainEntries({ params }), ({ entries }) =>
    entries.length === 0
      ? ["nothing is kept"]
      : tableLines(
          ["NAME", "SCOPE", "STATUS", "EXPIRES"],
          entries.map((entry) => [
            entry.keychain_name,
            entry.scope_type ?? "",
            entry.status,
            entry.expires_at ?? "",
          ]),
        ),
  );
}

function placeOf(args: Arguments) {
  return given({
    execution_id: args.text("execution"),
    scope_type: oneOf(args, "scope", keychainScopes),
  });
}

export async function getKeychain(args: Arguments): Promise<number> {
  const [reference = "", name = ""] = args.operands;
  const query = placeOf(args);
  const { client } = await neededServer(args);
  const params = { catalog_id: await catalogId(client, reference), name };
  return printed(args, await client.getKeychainEntry({ params, query }), fieldLines);
}

export async function deleteKeychain(args: Arguments): Promise<number> {
  const [reference = "", name = ""] = args.operands;
  const query = placeOf(args);
  const { client } = await neededServer(args);
  const params = { catalog_id: await catalogId(client, reference), name };
  const answer = await client.deleteKeychainEntry({ params, query });
  return printed(args, answer, ({ deleted }) => [
    `${name}: ${deleted ? "deleted, and fetched anew when it is read" : "nothing was kept"}`,
  ]);
}
