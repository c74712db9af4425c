// The control plane as a worker sees it, over HTTP.

import type { WorkerCommand } from "#core/model/command";
import type { Json, JsonObject } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";
import type { ControlPlane, SettleVerdict } from "#core/ports/control-plane";
import type { LeaseRef, RenewVerdict } from "#core/ports/event-log";
import type { ApiClient } from "./api-client.ts";

export function httpControl(client: ApiClient): ControlPlane {
  return {
    claim: async (work, signal) => {
      const body = { ...work, pools: [...work.pools] };
      const { commands } = await client.claim({ body }, signal);
      return commands as WorkerCommand[];
    },
    settle: async ({ outcomes, ...work }, signal) => {
      const body = {
        ...work,
        pools: [...work.pools],
        // Interfaces have no index signature; what is sent is plain JSON all the same.
        outcomes: outcomes as unknown as Parameters<ApiClient["settle"]>[0]["body"]["outcomes"],
      };
      const { verdicts, commands } = await client.settle({ body }, signal);
      return { verdicts: verdicts as SettleVerdict[], commands: commands as WorkerCommand[] };
    },
    renew: async (worker, leases) => {
      const { verdicts } = await client.renew({ body: { worker, leases: wireLeases(leases) } });
      return verdicts as RenewVerdict[];
    },
    release: async (worker, leases) => {
      await client.release({ body: { worker, leases: wireLeases(leases) } });
    },
    putResult: async (executionId, name, value) => {
      const answer = await client.putResult({
        params: { id: executionId },
        body: { name, data: value },
      });
      return answer.result_ref as unknown as ResultRef;
    },
    resolveResult: async (ref) => (await client.resolveResult({ query: { ref } })) as Json,
    credential: async (worker, commandId, alias) => {
      const body = { worker, command_id: commandId, alias };
      const { data, ...rest } = await client.commandCredential({ body });
      return { ...rest, data: data as JsonObject };
    },
  };
}

function wireLeases(leases: readonly LeaseRef[]) {
  return leases.map(({ commandId, attempt }) => ({ command_id: commandId, attempt }));
}
