// `noetl audit`: who did what, and whether the chain of it is whole.

import type { ApiClient } from "#core/adapters/api-client";
import type { Arguments } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { given, wholeNumber } from "./given.ts";
import { printed } from "./printed.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";

type Verified = Awaited<ReturnType<ApiClient["verifyAudit"]>>;

export async function listAudit(args: Arguments): Promise<number> {
  const query = given({
    actor: args.text("actor"),
    action: args.text("action"),
    object: args.text("object"),
    tenant: args.text("tenant"),
    before: wholeNumber(args, "before"),
    limit: wholeNumber(args, "limit"),
  });
  const { client } = await neededServer(args);
  return printed(args, await client.listAudit({ query }), ({ entries, next_before: next }) => [
    ...tableLines(
      ["SEQ", "AT", "ACTOR", "ACTION", "OBJECT", "OUTCOME", "TENANT"],
      entries.map((entry) => [
        String(entry.seq),
        entry.at,
        entry.actor,
        entry.action,
        entry.object,
        entry.outcome,
        entry.tenant,
      ]),
    ),
    ...(next === null ? [] : [`more with --before ${next}`]),
  ]);
}

/** `audit verify [--database]`: by the server, or without it right in the database. */
export async function verifyAudit(args: Arguments): Promise<number> {
  const answer = args.has("database")
    ? await verifiedHere()
    : await (await neededServer(args)).client.verifyAudit();
  const { count, problems, head_digest: digest } = answer;
  printed(args, answer, () => [
    ...problems.map(({ seq, message }) => `entry ${seq}: ${message}`),
    `${count} entries: ${problems.length === 0 ? "whole" : `${problems.length} problems`}`,
    `digest of the last one: ${digest}`,
  ]);
  return problems.length === 0 ? exitOk : exitFailed;
}

async function verifiedHere(): Promise<Verified> {
  const [{ verifyAudit: verify }, { openOwnStores }] = await Promise.all([
    import("#control/access/verify-audit"),
    import("./own-database.ts"),
  ]);
  const stores = await openOwnStores();
  try {
    const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
    const { count, headDigest, problems } = await verify(stores.audit, sha256);
    return { count, head_digest: headDigest, problems: [...problems] };
  } finally {
    await stores.close();
  }
}
