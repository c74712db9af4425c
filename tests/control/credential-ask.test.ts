// For what a credential is asked is read off the log, whatever the request says.

import { expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import type { CredentialAsk } from "#control/services/context";
import { apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint } from "#core/adapters/system-clock";
import { machinePrincipal, type Principal } from "#core/model/access";
import { executionId } from "#core/model/ids";
import { sha256 } from "#tests/support/control";
import { handWorker, only } from "#tests/support/hand-worker";
import { virtualClock } from "#tests/support/virtual-clock";
import { sealingKey } from "#worker/sealing";

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: asks, path: t/asks}
workflow:
  - step: start
    spec: {pool: vault}
    tool: {kind: noop}
`;

test("the source is told the tenant, the playbook, the pool and the worker", async () => {
  const asks: (readonly [string, CredentialAsk | undefined])[] = [];
  const clock = virtualClock();
  const control = startControl(
    {
      ...memoryStores(clock),
      bus: memoryBus(),
      clock,
      ids: snowflakeMint(clock, 1),
      sha256,
      credentials: async (alias, ask) => {
        asks.push([alias, ask]);
        return { name: alias, type: "bearer", data: { token: "x" } };
      },
      engineVersion: "0.0.0-test",
    },
    { access: openAccess(), report: () => {} },
  );
  const as = (principal: Principal) =>
    apiClient({ fetch: control.fetchAs(principal), baseUrl: "http://control" });
  const ada = as({ kind: "person", subject: "ada", tenant: "east", role: "admin" });
  await ada.registerCatalog({ body: { content: playbook } });
  const started = await ada.execute({ body: { path: "t/asks" } });
  const client = as(machinePrincipal("internal"));
  const { command_id } = only(await handWorker(client, "w1", ["vault"]).claim());
  const sealing = sealingKey();
  const key = await sealing.publicKey();
  const body = { worker: "w1", command_id, alias: "db", key, tenant: "other", pool: "other" };
  const { sealed, ...rest } = await client.commandCredential({ body });
  expect(rest).toEqual({ name: "db", type: "bearer" });
  expect(await sealing.unseal(sealed, command_id)).toEqual({ token: "x" });
  const ask = {
    tenant: "east",
    path: "t/asks",
    pool: "vault",
    executionId: executionId(started.execution_id),
    worker: "w1",
  };
  expect(asks).toEqual([["db", ask]]);
  await control.stop();
});
