// What the cases of routes speak of, made anew for each test: executions, a command, people. A name
// that a case writes with `$` stands for an id of it.

import type { ApiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import type { WorkerCommand } from "#core/model/command";
import { executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

export interface SceneClients {
  /** An administrator of the tenant that the scene is of. */
  readonly person: ApiClient;
  readonly machine: ApiClient;
  readonly platform: ApiClient;
}

export interface SceneOptions {
  /** Of the addresses of its people. */
  readonly domain?: string;
  /** What goes into every execution besides. */
  readonly workload?: JsonObject;
}

export interface RouteScene {
  /** Ids by the names of the cases. */
  readonly named: Readonly<Record<string, string>>;
  /** A value with ids in place of the names. */
  readonly fill: <Value>(value: Value) => Value;
  /** The one that `$command` stands for. */
  readonly command: WorkerCommand;
}

/** One running and one ended execution, a command that was given up, a rule, two people. */
export async function routeScene(
  clients: SceneClients,
  options: SceneOptions = {},
): Promise<RouteScene> {
  const { person, machine, platform } = clients;
  const { workload = {} } = options;
  const start = async (path: string, given: JsonObject = {}): Promise<string> => {
    const payload = { ...workload, ...given };
    return (await person.execute({ body: { path, payload } })).execution_id;
  };
  const content = chain("t/routes", 1);
  const { catalog_id: $catalog } = await person.registerCatalog({ body: { content } });
  const $ended = await start("t/routes");
  const variables = { kept: [1] };
  await person.setVariables({ params: { id: $ended }, body: { variables } });
  await handWorker(machine).drain(() => ({ sum: 3, ...workload }));
  await person.registerCatalog({ body: { content: chain("t/given-up", 1) } });
  await start("t/given-up");
  const $letter = await givenUp(machine);
  await platform.putRule({ params: { key: "pool:kept" }, body: { max_running: 3 } });
  const $id = await start("t/routes", { who: "Ada" });
  const command = only(await handWorker(machine).claim());
  const { ref: $ref } = await httpControl(machine).putResult(executionId($id), "kept", {
    stored: true,
  });
  const daily = { name: `daily ${$id}`, path: "t/routes", cron: "0 9 * * *" };
  const { schedule_id: $schedule } = await person.createSchedule({ body: daily });
  const named: Readonly<Record<string, string>> = {
    ...{ $catalog, $schedule, $ended, $letter, $id, $ref, $command: command.command_id },
    ...(await people(person, options)),
  };
  const fill = <Value>(value: Value): Value =>
    JSON.parse(JSON.stringify(value).replace(/\$[a-z_]+/g, (name) => named[name] ?? name)) as Value;
  return { named, fill, command };
}

/** The command of an execution whose outcome nobody could store. */
async function givenUp(machine: ApiClient): Promise<string> {
  const worker = handWorker(machine);
  const { command_id, attempt } = only(await worker.claim());
  const error = { kind: "result", code: "result_rejected", message: "no", retryable: false };
  const output = { status: "error" as const, error };
  await worker.settle([{ command_id, attempt, output, duration_ms: 1 }]);
  return command_id;
}

/** Two administrators of the tenant, and a token of the one that cases speak of. */
async function people(person: ApiClient, { domain = "example.org" }: SceneOptions) {
  await person.createUser({ body: { email: `bob@${domain}`, role: "admin" } });
  const ada = { email: `ada@${domain}`, role: "admin" as const };
  const { user_id: $user } = await person.createUser({ body: ada });
  const token = { name: "first", role: "viewer" as const, user_id: $user };
  const { token_id: $pat } = await person.createToken({ body: token });
  return { $user, $pat };
}
