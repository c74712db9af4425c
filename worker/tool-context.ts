// What a tool is given beside its config: who calls, how long it may take, and the control plane
// as far as a tool may reach it. Costly parts are made when they are first asked for.

import type { Json } from "#core/model/json";
import {
  type CommandResources,
  type Credential,
  type LogStream,
  type ToolContext,
  ToolFailure,
} from "#worker/tools/tool";
import type { CommandRun } from "./command-run.ts";
import { failure, mayHelpLater } from "./failure-of.ts";
import { idempotencyKey } from "./idempotency.ts";
import { entryOf, keptSecret } from "./keychain-entry.ts";
import type { TaskCall } from "./pipeline.ts";
import { storeResult } from "./results.ts";
import type { WorkerServices } from "./services.ts";
import { traceparentOf } from "./trace.ts";

/** What the tasks of one command have opened; closed when the command ends, last opened first. */
export interface OpenResources extends CommandResources {
  /** Something is open: what is in it would be lost if the command went on elsewhere. */
  held(): boolean;
  close(): Promise<void>;
}

export function openResources(onError: (thrown: unknown, key: string) => void): OpenResources {
  type Opened = { readonly value: unknown; close(): Promise<void> };
  const open = new Map<string, Promise<Opened>>();
  return {
    use: async <Resource>(
      key: string,
      start: () => Promise<{ readonly value: Resource; close(): Promise<void> }>,
    ): Promise<Resource> => {
      const opening = open.get(key) ?? start();
      open.set(key, opening);
      try {
        // The cast rests on tools using one key for one kind of resource, as the contract says.
        return (await opening).value as Resource;
      } catch (thrown) {
        // The next task may open it with better luck.
        if (open.get(key) === opening) open.delete(key);
        throw thrown;
      }
    },
    held: () => open.size > 0,
    close: async () => {
      for (const [key, opening] of [...open].reverse()) {
        try {
          await (await opening).close();
        } catch (thrown) {
          onError(thrown, key);
        }
      }
      open.clear();
    },
  };
}

export interface ContextParts {
  readonly run: CommandRun;
  readonly call: TaskCall;
  readonly services: WorkerServices;
  readonly resources: CommandResources;
}

export function toolContext(parts: ContextParts): ToolContext {
  const { run, call, services } = parts;
  const { command } = run;
  const { control, clock, workerId } = services;
  const { label } = call.task;
  let key: string | undefined;
  return {
    executionId: command.execution_id,
    commandId: command.command_id,
    step: command.step,
    label,
    attempt: command.attempt,
    ...(command.iteration === undefined ? {} : { iteration: command.iteration }),
    get idempotencyKey() {
      key ??= idempotencyKey(command, { label, ordinal: call.ordinal });
      return key;
    },
    get traceparent() {
      return traceparentOf(command);
    },
    workerId,
    get signal() {
      return run.signal;
    },
    timeoutMs: Math.max(1, run.deadlineMs - clock.nowMs()),
    policy: services.policy,
    resources: parts.resources,
    get variables() {
      return call.evaluation.scope.variables();
    },
    log: (stream: LogStream, text: string) => {
      services.log.line?.({ command, label, stream, text: run.secrets.text(text) });
    },
    credential: (alias) =>
      asked("credential", `credential ${alias}`, async (): Promise<Credential> => {
        const credential = await control.credential(workerId, command.command_id, alias);
        run.secrets.note(credential);
        return credential;
      }),
    keychain: (name) => entryOf(name, run, services),
    secret: (as, ask) => keptSecret({ as, ask }, run, services),
    callbackToken: () =>
      asked(
        "callback",
        "the token of the callback",
        (): Promise<string> => control.callbackToken(workerId, command.command_id),
      ),
    resolveResult: (ref) =>
      asked("result", `result ${ref}`, (): Promise<Json> => control.resolveResult(ref)),
    putResult: (name, value) => storeResult({ run, services, name }, run.secrets.value(value)),
  };
}

/** A no of the control plane, or its absence, as the failure of the tool that asked. */
async function asked<Answer>(
  kind: string,
  what: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (thrown) {
    const retryable = mayHelpLater(thrown);
    const reason = retryable ? "the control plane can't be reached" : "the control plane refused";
    const failed = failure(kind, `${what} could not be read: ${reason}`, { retryable });
    throw new ToolFailure(failed, { cause: thrown });
  }
}
