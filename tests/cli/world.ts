// A control plane over stores that a test has opened by itself, without a worker.

import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { executionId } from "#core/model/ids";
import type { Stores } from "#core/ports/stores";
import { eventually, sha256 } from "#tests/support/control";

export interface OpenedWorld {
  readonly client: ApiClient;
  readonly control: Control;
  /** Resolves once the execution has ended, with its status. */
  ended(id: string): Promise<string>;
}

export function worldOver(stores: Stores): OpenedWorld {
  const clock = systemClock();
  const control = startControl(
    {
      ...stores,
      ...{ bus: memoryBus(), clock, ids: snowflakeMint(clock, 77), sha256 },
      credentials: async () => undefined,
      engineVersion: "0.0.0-test",
    },
    { access: openAccess(), report: () => {}, workersAreNew: true },
  );
  return {
    control,
    client: apiClient({ fetch: control.fetch, baseUrl: "http://control" }),
    ended: (id) =>
      eventually(async () => {
        const status = (await stores.log.head(executionId(id)))?.row.status;
        return status === "running" ? undefined : status;
      }),
  };
}
