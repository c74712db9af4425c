// Entries of a playbook's keychain, as its commands are given them: what a command may have is read
// off the log and the plan, never off a request. Values go to workers and into sealed rows alone.

import type { ControlContext, CredentialAsk } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { fetchResult } from "#control/services/results";
import { StoredValue } from "#core/engine/variables";
import { tenantDefault } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { CatalogId, CommandId, ExecutionId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { keychainKindOf } from "#core/playbook/keychain-kinds";
import type { CredentialRecord } from "#core/ports/control-plane";
import { entryValues } from "./entry-values.ts";
import { keptEntries } from "./kept.ts";
import { cacheKeyOf, checkName } from "./places.ts";
import { Resolver } from "./resolver.ts";

export interface KeychainAsk {
  readonly commandId: CommandId;
  readonly name: string;
  readonly worker?: string;
}

/** A command, and what it may see. */
export interface Asker {
  readonly ask: CredentialAsk;
  readonly catalogId: CatalogId;
  readonly workload: JsonObject;
}

/**
 * An entry's fields, with all that it reads.
 * @throws Fault `not_found` for an entry that neither the playbook nor the execution has; otherwise
 * what kept it from being resolved, named by entry and kind.
 */
export async function resolveKeychain(
  executions: Executions,
  { commandId, name, worker = "" }: KeychainAsk,
): Promise<CredentialRecord> {
  const { context } = executions;
  const asker = await askerOf(executions, commandId, worker);
  const { keychain } = await context.plans.byCatalogId(asker.catalogId);
  const entry = keychain.find((each) => each["name"] === name);
  if (entry === undefined) return ownOf(context, asker, { commandId, name });
  const resolver = new Resolver(context, asker, keychain);
  const data = await resolver.values(name);
  return { name, type: keychainKindOf(entry) ?? "static", data };
}

/** What the command has put there itself, or else another one of the execution. */
async function ownOf(
  context: ControlContext,
  { ask, catalogId }: Asker,
  { commandId, name }: KeychainAsk,
): Promise<CredentialRecord> {
  const { tenant, executionId } = ask;
  for (const boundTo of [commandId, executionId]) {
    const cacheKey = cacheKeyOf({ tenant, name, catalogId, scope: "local", boundTo });
    const found = await keptEntries(context).find({ tenant, cacheKey });
    if (found !== undefined) return { name, type: found.row.kind, data: found.values };
  }
  throw new Fault("not_found", `keychain entry ${name} does not exist`);
}

export interface SecretAskOfCommand {
  readonly commandId: CommandId;
  /** The name under which the execution finds it from then on. */
  readonly as: string;
  /** Fields of an entry of kind `secret_manager`, rendered. */
  readonly ask: JsonObject;
  readonly worker?: string;
}

/**
 * Reads a secret from its provider and keeps it for the execution, under `as`.
 * @returns the names of its fields. @throws Fault `conflict` for a name that the playbook has.
 */
export async function readSecret(
  executions: Executions,
  { commandId, as, ask: entry, worker = "" }: SecretAskOfCommand,
): Promise<{ readonly keys: readonly string[] }> {
  const { context } = executions;
  checkName(as);
  const asker = await askerOf(executions, commandId, worker);
  const { keychain } = await context.plans.byCatalogId(asker.catalogId);
  if (keychain.some((each) => each["name"] === as)) {
    throw new Fault("conflict", `as: the playbook's keychain has an entry ${as} of its own`);
  }
  const { tenant, executionId } = asker.ask;
  const { catalogId } = asker;
  const resolver = new Resolver(context, asker, keychain);
  const found = await resolver.named(as, "secret_manager", () =>
    entryValues("secret_manager", entry, resolver.parts),
  );
  const place = { tenant, name: as, catalogId, scope: "local" as const };
  // Iterations of a loop go on at the same time: each goes on with what it has read itself.
  for (const boundTo of [commandId, executionId]) {
    const cacheKey = cacheKeyOf({ ...place, boundTo });
    const kept = { ...place, cacheKey, executionId, kind: "secret_manager", autoRenew: false };
    await keptEntries(context).put(kept, found);
  }
  return { keys: Object.keys(found.values) };
}

async function askerOf(
  executions: Executions,
  commandId: CommandId,
  worker: string,
): Promise<Asker> {
  const executionId = commandId.slice(0, commandId.indexOf(":")) as ExecutionId;
  const about = await executions.read(executionId, ({ started, commands, workload }) => ({
    started,
    workload,
    pool: commands.get(commandId)?.pool,
  }));
  const { started, pool } = about;
  if (started === undefined || pool === undefined) {
    throw new Fault("forbidden", `command ${commandId} is not open`);
  }
  const { tenant = tenantDefault, path, catalogId } = started;
  const workload: Json =
    about.workload instanceof StoredValue
      ? await fetchResult(executions.context, about.workload.ref.ref)
      : about.workload;
  return {
    ask: { tenant, path, pool, executionId, worker },
    catalogId,
    workload: isJsonObject(workload) ? workload : {},
  };
}
