// Routes by which workers get what is secret: only for a command that they have leased, and what
// the command may have is read off the log, never off the request. It leaves sealed to the worker.

import type { Elysia } from "elysia";
import { auditedSoon } from "#control/access/audit";
import { readSecret, resolveKeychain } from "#control/keychain/resolve";
import { sealTo } from "#control/secrets/delivery";
import type { CredentialAsk } from "#control/services/context";
import { requireLease } from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { callbackToken } from "#control/waits/tokens";
import { machinePrincipal } from "#core/model/access";
import { tenantDefault } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import { type CommandId, type ExecutionId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { leaseMs } from "#core/model/limits";
import type { CredentialRecord } from "#core/ports/control-plane";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";

interface Leased {
  readonly worker: string;
  readonly command_id: string;
}

interface Keyed extends Leased {
  readonly key: Readonly<Record<string, unknown>>;
}

export function commandSecretRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.commandCredential, async ({ body }) => {
    const ask = await leasedAsk(executions, body);
    const { alias } = body;
    return delivered(executions, { ask, body, what: `credential/${alias}` }, async () => {
      const credential = await executions.context.credentials(alias, ask);
      if (credential !== undefined) return sealedAnswer(credential, body);
      throw new Fault("not_found", `credential ${alias} does not exist`);
    });
  });
  mount(app, api.commandKeychain, async ({ body }) => {
    const ask = await leasedAsk(executions, body);
    const { name } = body;
    const commandId = body.command_id as CommandId;
    return delivered(executions, { ask, body, what: `keychain/${name}` }, async () =>
      sealedAnswer(
        await resolveKeychain(executions, { commandId, name, worker: body.worker }),
        body,
      ),
    );
  });
  mount(app, api.commandSecret, async ({ body }) => {
    const ask = await leasedAsk(executions, body);
    const commandId = body.command_id as CommandId;
    // The body was read as JSON.
    const { worker, as } = body;
    const wanted = { commandId, as, ask: body.ask as JsonObject, worker };
    return delivered(executions, { ask, body, what: `secret/${body.as}` }, async () => {
      const { keys } = await readSecret(executions, wanted);
      return { keys: [...keys] };
    });
  });
  mount(app, api.commandCallback, async ({ body }) => {
    const commandId = body.command_id as CommandId;
    await requireLease(executions, body.worker, commandId);
    const key = `container:${commandId}`;
    const id = executionOfLeased(commandId);
    return { token: await callbackToken(executions.context, id, key) };
  });
}

/**
 * For what a command may ask, from one look at its execution and one at its lease.
 * @throws Fault `forbidden` for whoever has not leased the command.
 */
async function leasedAsk(
  executions: Executions,
  { worker, command_id }: Leased,
): Promise<CredentialAsk> {
  const commandId = command_id as CommandId;
  const executionId = executionOfLeased(commandId);
  const found = isSnowflake(executionId)
    ? await executions.read(executionId, ({ started, commands }) => ({
        tenant: started?.tenant ?? tenantDefault,
        path: started?.path ?? "",
        command: commands.get(commandId),
      }))
    : undefined;
  if (found?.command !== undefined) {
    const { tenant, path, command } = found;
    const { attempt, pool } = command;
    const isHeld = await executions.context.log.holds(worker, { commandId, attempt }, leaseMs);
    if (isHeld) return { tenant, path, pool, executionId, worker };
  }
  throw new Fault("forbidden", `worker ${worker} has not leased command ${commandId}`);
}

/** A command's id has that of its execution before the first colon. */
function executionOfLeased(commandId: CommandId): ExecutionId {
  return commandId.slice(0, Math.max(0, commandId.indexOf(":"))) as ExecutionId;
}

async function sealedAnswer({ name, type, data }: CredentialRecord, body: Keyed) {
  return { name, type, sealed: await sealTo(body.key, data, body.command_id) };
}

interface Delivery {
  readonly ask: CredentialAsk;
  readonly body: Leased;
  /** `credential/warehouse`. */
  readonly what: string;
}

/** What is given, or refused, is audited; the worker is not kept waiting for that. */
async function delivered<Given>(
  { context }: Executions,
  { ask, body, what }: Delivery,
  give: () => Promise<Given>,
): Promise<Given> {
  const who = { ...machinePrincipal(body.worker), tenant: ask.tenant };
  const action = `${what.slice(0, what.indexOf("/"))}.deliver`;
  const about = { command_id: body.command_id, path: ask.path };
  const entry = { action, object: what, about };
  try {
    const given = await give();
    await auditedSoon(context, who, entry);
    return given;
  } catch (thrown) {
    const isRefused = thrown instanceof Fault && thrown.code === "forbidden";
    if (isRefused) await auditedSoon(context, who, { ...entry, outcome: "refused" });
    throw thrown;
  }
}
