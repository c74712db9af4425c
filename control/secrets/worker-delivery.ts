// A credential sealed to the key that a worker has registered, for clients that ask by execution:
// the command that it is for is one that the worker has leased.

import { auditedSoon } from "#control/access/audit";
import type { CredentialAsk } from "#control/services/context";
import { renewLeases } from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { machinePrincipal } from "#core/model/access";
import { tenantDefault } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { claimCommandsMax } from "#core/model/limits";
import { sealTo } from "./delivery.ts";

export interface SealedAsk {
  /** A name; the id of one of the tenant's own too. */
  readonly ref: string;
  readonly worker: string;
  readonly executionId: ExecutionId;
}

interface SealedAnswer {
  readonly name: string;
  readonly type: string;
  /** What it is sealed for. */
  readonly command_id: string;
  readonly sealed: string;
}

interface OpenCommand {
  readonly commandId: CommandId;
  readonly attempt: number;
  readonly pool: string;
}

/** @throws Fault `forbidden`, `not_found`, `conflict` for a worker without a key. */
export async function sealedForWorker(
  executions: Executions,
  asked: SealedAsk,
): Promise<SealedAnswer> {
  const { context } = executions;
  const { worker, executionId } = asked;
  const { tenant, path, open } = await about(executions, executionId);
  const leased = await leasedBy(executions, worker, open);
  if (leased === undefined) {
    throw new Fault("forbidden", `worker ${worker} has not leased a command of ${executionId}`);
  }
  const { commandId, pool } = leased;
  const key = await registeredKey(executions, worker);
  const name = (await context.vault.get(tenant, asked.ref))?.name ?? asked.ref;
  const ask: CredentialAsk = { tenant, path, pool, executionId, worker };
  const credential = await context.credentials(name, ask);
  if (credential === undefined) throw new Fault("not_found", `credential ${name} does not exist`);
  const who = { ...machinePrincipal(worker), tenant };
  await auditedSoon(context, who, {
    action: "credential.deliver",
    object: `credential/${name}`,
    about: { command_id: commandId, path },
  });
  const sealed = await sealTo(key, credential.data, commandId);
  return { name: credential.name, type: credential.type, command_id: commandId, sealed };
}

function about(executions: Executions, id: ExecutionId) {
  return executions.read(id, ({ started, commands }) => ({
    tenant: started?.tenant ?? tenantDefault,
    path: started?.path ?? "",
    open: [...commands].map(
      ([commandId, { attempt, pool }]): OpenCommand => ({ commandId, attempt, pool }),
    ),
  }));
}

async function leasedBy(
  executions: Executions,
  worker: string,
  open: readonly OpenCommand[],
): Promise<OpenCommand | undefined> {
  for (let from = 0; from < open.length; from += claimCommandsMax) {
    const some = open.slice(from, from + claimCommandsMax);
    const verdicts = await renewLeases(executions, worker, some);
    const found = some[verdicts.indexOf("renewed")];
    if (found !== undefined) return found;
  }
  return undefined;
}

async function registeredKey({ context }: Executions, worker: string): Promise<JsonObject> {
  const live = await context.runtime.live("worker_pool");
  const meta = live.find(({ name }) => name === worker)?.details["meta"];
  const key = isJsonObject(meta) ? meta["sealing_key"] : undefined;
  if (isJsonObject(key)) return key;
  throw new Fault("conflict", `worker ${worker} has registered no key that could be sealed to`);
}
