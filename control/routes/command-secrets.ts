// Routes by which workers get what is secret: only for a command that they have leased, and what
// the command may have is read off the log, never off the request.

import type { Elysia } from "elysia";
import { resolveKeychain } from "#control/keychain/resolve";
import type { CredentialAsk } from "#control/services/context";
import { requireLease } from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { callbackToken } from "#control/waits/tokens";
import { tenantDefault } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { CredentialRecord } from "#core/ports/control-plane";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";

export function commandSecretRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.commandCredential, async ({ body }) => {
    const ask = await leasedAsk(executions, body.worker, body.command_id as CommandId);
    const credential = await executions.context.credentials(body.alias, ask);
    if (credential === undefined) {
      throw new Fault("not_found", `credential ${body.alias} does not exist`);
    }
    return answerOf(credential);
  });
  mount(app, api.commandKeychain, async ({ body }) => {
    const commandId = body.command_id as CommandId;
    await requireLease(executions, body.worker, commandId);
    return answerOf(await resolveKeychain(executions, { commandId, name: body.name }));
  });
  mount(app, api.commandCallback, async ({ body }) => {
    const commandId = body.command_id as CommandId;
    await requireLease(executions, body.worker, commandId);
    const key = `container:${commandId}`;
    const id = executionOfLeased(commandId);
    return { token: await callbackToken(executions.context, id, key) };
  });
}

/** @throws Fault `forbidden` for whoever has not leased the command. */
async function leasedAsk(
  executions: Executions,
  worker: string,
  commandId: CommandId,
): Promise<CredentialAsk> {
  await requireLease(executions, worker, commandId);
  const executionId = executionOfLeased(commandId);
  const about = await executions.read(executionId, ({ started, commands }) => ({
    tenant: started?.tenant ?? tenantDefault,
    path: started?.path ?? "",
    pool: commands.get(commandId)?.pool,
  }));
  const { pool } = about;
  if (pool === undefined) {
    throw new Fault("forbidden", `worker ${worker} has not leased command ${commandId}`);
  }
  return { ...about, pool, executionId, worker };
}

/** A command that was leased has the id of its execution before the first colon. */
function executionOfLeased(commandId: CommandId): ExecutionId {
  return commandId.slice(0, commandId.indexOf(":")) as ExecutionId;
}

function answerOf({ data, ...rest }: CredentialRecord) {
  return { ...rest, data: { ...data } };
}
