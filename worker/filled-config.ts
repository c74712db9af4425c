// The config of one task's call with nothing left open. A token that a field asks for is fetched
// when it is first met, and the fields are filled again: it lives as long as the call, and the next
// attempt asks anew, because tokens expire.

import type { TaskSpec } from "#core/model/command";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { Secrets } from "#core/playbook/template";
import { ToolFailure } from "#worker/tools/tool";
import type { CommandRun } from "./command-run.ts";
import { failure, mayHelpLater } from "./failure-of.ts";
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
    try {
      return taskConfig(task, run.command, evaluation);
    } catch (thrown) {
      if (thrown instanceof TokenNeeded) return thrown.alias;
      throw thrown;
    } finally {
      scope.secrets = undefined;
    }
  }
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
