// A playbook with one entry of a keychain, the token server that it asks, and commands that read it.

import type { OutsideFetch } from "#control/keychain/options";
import { resolveKeychain } from "#control/keychain/resolve";
import type { CommandId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";

export const endpoint = "https://idp.example.com/token";

/** A token server that counts; `answers` says what comes next, the last one for ever. */
export function idp(...answers: readonly (() => Response | Promise<Response>)[]) {
  const asked: string[] = [];
  const fetch: OutsideFetch = async (_url, { body }) => {
    asked.push(String(body));
    const next = answers[Math.min(asked.length, answers.length) - 1];
    return next?.() ?? Response.json({ access_token: `token-${asked.length}`, expires_in: 1_000 });
  };
  return { asked, options: { fetch } };
}

export const playbook = (path: string, entry: string, workflow = chained): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: k, path: ${path}}
keychain:
- {name: api, kind: oauth2, endpoint: "${endpoint}", data: {id: "{{ workload.id }}"}${entry}}
workflow:
${workflow}`;

const chained = "- {step: start, tool: {kind: noop}}";
export const looped = `- step: start
  loop: {in: "{{ workload.items }}", iterator: item, spec: {mode: parallel, max_in_flight: 50}}
  tool: {kind: noop}`;

export async function commandOf(
  world: World,
  path: string,
  workload: JsonObject = {},
): Promise<CommandId> {
  const id = await world.start(path, { id: "one", ...workload });
  const [command] = (await handWorker(world.client).claim()).filter(
    ({ execution_id }) => execution_id === id,
  );
  return command?.command_id as CommandId;
}

export const tokenFor = async ({ control }: World, commandId: CommandId): Promise<unknown> =>
  (await resolveKeychain(control.executions, { commandId, name: "api" })).data["token"];
