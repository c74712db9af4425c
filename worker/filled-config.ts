// The config of one task's call with nothing left open. Secrets that its fields ask for are fetched
// first: entries of the keychain, which a command keeps for a while, and tokens, which live as long
// as the call: the next attempt asks anew, because tokens expire.

import type { TaskSpec } from "#core/model/command";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { keychainEntriesPerCommandMax } from "#core/model/keychain-limits";
import { Secrets } from "#core/playbook/template";
import { ToolFailure } from "#worker/tools/tool";
import type { CommandRun } from "./command-run.ts";
import { failure, mayHelpLater } from "./failure-of.ts";
import { entryOf } from "./keychain-entry.ts";
import type { WorkerServices } from "./services.ts";
import { type Evaluation, taskConfig } from "./task-config.ts";

/** Different credentials whose tokens one call may ask for: each costs a round of filling. */
const tokensPerTaskMax = 16;
/** The keys under which credentials keep what a bearer shows, in the order they are looked for. */
const tokenKeys = ["token", "access_token", "bearer_token", "id_token"] as const;

/** A field needs a token that is not at hand. */
class TokenNeeded extends Error {
  override readonly name = "TokenNeeded";

  constructor(readonly alias: string) {
    super("a field needs the token of a credential");
  }
}

/** @throws TemplateRuntimeError, TemplateSyntaxError, ToolFailure (kind `credential`) */
export async function filledConfig(
  task: TaskSpec,
  run: CommandRun,
  evaluation: Evaluation,
  services: WorkerServices,
): Promise<JsonObject> {
  const keychain = await entriesRead(task, run, evaluation, services);
  const tokens = new Map<string, string>();
  const secrets = new Secrets((alias) => {
    const token = tokens.get(alias);
    if (token === undefined) throw new TokenNeeded(alias);
    return token;
  });
  while (true) {
    const alias = tryFilling();
    if (typeof alias !== "string") return alias;
    if (tokens.size >= tokensPerTaskMax) {
      throw refusal(
        `task ${task.label} asks for the tokens of more than ${tokensPerTaskMax} credentials`,
      );
    }
    tokens.set(alias, await tokenOf(alias, run, services));
  }

  function tryFilling(): JsonObject | string {
    const { scope } = evaluation;
    scope.secrets = secrets;
    scope.keychain = keychain;
    try {
      return taskConfig(task, run.command, evaluation);
    } catch (thrown) {
      if (thrown instanceof TokenNeeded) return thrown.alias;
      throw thrown;
    } finally {
      scope.secrets = undefined;
      scope.keychain = undefined;
    }
  }
}

/** The entries that the fields of the task read, by name; undefined where they read none. */
async function entriesRead(
  { holes, label }: TaskSpec,
  run: CommandRun,
  { templates }: Evaluation,
  services: WorkerServices,
): Promise<Readonly<Record<string, JsonObject>> | undefined> {
  let entries: Record<string, JsonObject> | undefined;
  for (const { text } of holes) {
    for (const name of templates.template(text).keychain) {
      if (name === undefined) {
        throw refusal(`task ${label} reads keychain[…], expected keychain.NAME`);
      }
      // Without a prototype: every name is only ever a name.
      entries ??= Object.create(null) as Record<string, JsonObject>;
      if (Object.hasOwn(entries, name)) continue;
      if (Object.keys(entries).length >= keychainEntriesPerCommandMax) {
        const found = `more than ${keychainEntriesPerCommandMax} entries of the keychain`;
        throw refusal(`task ${label} reads ${found}`);
      }
      entries[name] = (await entryOf(name, run, services)).data;
    }
  }
  return entries;
}

async function tokenOf(alias: string, run: CommandRun, services: WorkerServices): Promise<string> {
  const { control, workerId } = services;
  let credential: Awaited<ReturnType<typeof control.credential>>;
  try {
    credential = await control.credential(workerId, run.command.command_id, alias);
  } catch (thrown) {
    const retryable = mayHelpLater(thrown);
    const reason = retryable ? "the control plane can't be reached" : "the control plane refused";
    const failed = failure("credential", `credential ${alias} could not be read: ${reason}`, {
      retryable,
    });
    throw new ToolFailure(failed, { cause: thrown });
  }
  run.secrets.note(credential);
  const data = isJsonObject(credential.data) ? credential.data : {};
  for (const key of tokenKeys) {
    const token = data[key];
    if (typeof token === "string" && token !== "") return token;
  }
  const wanted = tokenKeys.join(", ");
  throw refusal(
    `credential ${alias} of type ${credential.type} has no token, expected one of ${wanted}`,
  );
}

function refusal(message: string): ToolFailure {
  return new ToolFailure(failure("credential", message));
}
