// Of whom an entry is, for how long it is kept, and what an execution keeps for itself.

import { describe, expect, test } from "bun:test";
import { lifeSeconds } from "#control/keychain/kept";
import type { OutsideFetch } from "#control/keychain/options";
import { cacheKeyOf } from "#control/keychain/places";
import { readSecret, resolveKeychain } from "#control/keychain/resolve";
import type { CommandId, ExecutionId } from "#core/model/ids";
import { onMemory } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { commandOf, idp, looped, playbook, tokenFor } from "./scene.ts";

onMemory((shelf) => {
  describe("an entry", () => {
    test("of scope local is of one execution, a global one of all of its version", async () => {
      const { asked, options } = idp();
      const world = shelf().open({ keychainOptions: options });
      await world.register(playbook("k/local", ", scope: local"));
      await world.register(playbook("k/global", ", scope: catalog"));
      const tokens: unknown[] = [];
      for (const path of ["k/local", "k/local", "k/global", "k/global"]) {
        tokens.push(await tokenFor(world, await commandOf(world, path)));
      }
      expect(tokens).toEqual(["token-1", "token-2", "token-3", "token-3"]);
      await world.register(`${playbook("k/global", ", scope: catalog")}\n# another version`);
      expect(await tokenFor(world, await commandOf(world, "k/global"))).toBe("token-4");
      expect(asked).toHaveLength(4);
    });

    test("of scope shared is of the tree that an execution belongs to", async () => {
      const { options } = idp();
      const world = shelf().open({ keychainOptions: options });
      await world.register(playbook("k/child", ", scope: shared"));
      await world.register(`apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: p, path: k/parent}
workflow:
- step: start
  loop: {in: [1, 2], iterator: item, spec: {mode: parallel}}
  tool: {kind: playbook, path: k/child}`);
      const tokens: unknown[] = [];
      for (let tree = 0; tree < 2; tree++) {
        await world.start("k/parent");
        const seen = new Set<unknown>();
        const worker = handWorker(world.client);
        for (let child = 0; child < 2; ) {
          for (const { command_id: id } of await worker.claim(2)) {
            child += 1;
            seen.add(await tokenFor(world, id));
          }
        }
        expect(seen.size).toBe(1);
        tokens.push(...seen);
      }
      expect(tokens).toEqual(["token-1", "token-2"]);
    });

    test("whose credential is not for a playbook is not for it either, kept or not", async () => {
      const { asked, options } = idp();
      const world = shelf().open({ keychainOptions: options });
      const put = (playbooks: string[]) =>
        world.client.putCredential({
          body: {
            name: "idp",
            type: "oauth2",
            data: { client_secret: "s-1" },
            allow: { playbooks },
          },
        });
      await put(["k/**"]);
      await world.register(playbook("k/allowed", ", auth: idp"));
      const commandId = await commandOf(world, "k/allowed");
      expect(await tokenFor(world, commandId)).toBe("token-1");
      expect(asked).toEqual(["client_secret=s-1&id=one"]);
      await put(["other/**"]);
      await expect(tokenFor(world, commandId)).rejects.toThrow(
        "keychain entry api of kind oauth2: credential idp is not for playbook k/allowed",
      );
    });
  });

  test("a map of secrets signs in once for all of them", async () => {
    const asked: string[] = [];
    const fetch: OutsideFetch = async (url) => {
      asked.push(new URL(url).pathname);
      return url.includes("login")
        ? Response.json({ auth: { client_token: "t" } })
        : Response.json({ data: { of: url.slice(-1) } });
    };
    const world = shelf().open({ keychainOptions: { fetch } });
    await world.register(`apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: k, path: k/map}
keychain:
- name: api
  kind: secrets
  provider: vault
  vault_url: https://vault.example.com
  auth: {role_id: r, secret_id: s}
  map: {a: kv/a, b: kv/b, __proto__: kv/c}
workflow: [{step: start, tool: {kind: noop}}]`);
    const commandId = await commandOf(world, "k/map");
    const { data } = await resolveKeychain(world.control.executions, { commandId, name: "api" });
    expect(JSON.stringify(data)).toBe('{"a":{"of":"a"},"b":{"of":"b"},"__proto__":{"of":"c"}}');
    expect(asked).toEqual(["/v1/auth/approle/login", "/v1/kv/a", "/v1/kv/b", "/v1/kv/c"]);
  });

  test("keys of different places are different, whatever names are made of", () => {
    const executionId = "7" as ExecutionId;
    const places = [
      { tenant: "a", name: "n", catalogId: "5", scope: "global" },
      { tenant: "b", name: "n", catalogId: "5", scope: "global" },
      { tenant: "a", name: "n:5", catalogId: "5", scope: "global" },
      { tenant: "a", name: "n", catalogId: "5", scope: "local", boundTo: executionId },
      { tenant: "a", name: "n", catalogId: "5", scope: "shared", boundTo: executionId },
      { tenant: "a", name: "n:5:shared", catalogId: "5", scope: "local", boundTo: executionId },
    ] as const;
    expect(new Set(places.map(cacheKeyOf)).size).toBe(places.length);
  });

  test("it is kept as its entry says, else as its provider says, else by scope", () => {
    const of = (
      ttlSeconds?: number,
      expiresInSeconds?: number,
      scope: "local" | "global" = "global",
    ) => lifeSeconds({ ttlSeconds, expiresInSeconds, scope });
    expect([of(), of(undefined, undefined, "local")]).toEqual([86_400, 3_600]);
    expect([of(undefined, 600), of(60, 600), of(60)]).toEqual([570, 60, 60]);
    // Nobody is given what has run out at its provider.
    expect([of(9_000, 600), of(undefined, 20), of(undefined, 1)]).toEqual([570, 10, 1]);
    expect(of(10 ** 9)).toBe(30 * 86_400);
  });
});

onMemory((shelf) => {
  describe("a secret that a step has read", () => {
    const answer = () => Response.json({ data: { pass: "p-1" } });
    const ask = {
      provider: "vault",
      ref: "kv/app",
      vault_url: "https://v.example.com",
      auth: { token: "t" },
    };

    test("is kept for its execution under its name, and for no other", async () => {
      const { options } = idp(answer);
      const world = shelf().open({ keychainOptions: options });
      await world.register(playbook("k/secret", ""));
      const commandId = await commandOf(world, "k/secret");
      const other = await commandOf(world, "k/secret");
      const { executions } = world.control;
      const wanted = { as: "app", ask };
      expect(await readSecret(executions, { commandId, ...wanted })).toEqual({ keys: ["pass"] });
      const found = await resolveKeychain(executions, { commandId, name: "app" });
      expect(found).toEqual({ name: "app", type: "secret_manager", data: { pass: "p-1" } });
      await expect(
        resolveKeychain(executions, { commandId: other, name: "app" }),
      ).rejects.toMatchObject({ code: "not_found" });
    });

    test("in a loop is that of the iteration which has read it, whatever others read", async () => {
      const fetch: OutsideFetch = async (url) => Response.json({ data: { of: url.slice(-1) } });
      const world = shelf().open({ keychainOptions: { fetch } });
      await world.register(playbook("k/loop", "", looped));
      await world.start("k/loop", { id: "x", items: [1, 2, 3] });
      const commands = await handWorker(world.client).claim(3);
      const { executions } = world.control;
      for (const [n, { command_id: commandId }] of commands.entries()) {
        await readSecret(executions, { commandId, as: "app", ask: { ...ask, ref: `kv/${n}` } });
      }
      const read = commands.map(async ({ command_id: commandId }) => {
        return (await resolveKeychain(executions, { commandId, name: "app" })).data;
      });
      expect(await Promise.all(read)).toEqual([{ of: "0" }, { of: "1" }, { of: "2" }]);
    });

    test("is read as it was put last, on every control plane", async () => {
      const fetch: OutsideFetch = async (url) => Response.json({ data: { of: url.slice(-1) } });
      const world = shelf().open({ keychainOptions: { fetch } });
      const other = world.another({ keychainOptions: { fetch } });
      await world.register(playbook("k/twice", "", looped));
      await world.start("k/twice", { id: "x", items: [1, 2] });
      const [first, second] = await handWorker(world.client).claim(2);
      const ids = [first?.command_id, second?.command_id] as readonly CommandId[];
      const reader = ids[1] as CommandId;
      for (const n of [1, 2]) {
        const commandId = ids[0] as CommandId;
        const wanted = { commandId, as: "app", ask: { ...ask, ref: `kv/${n}` } };
        await readSecret(world.control.executions, wanted);
        const asked = { commandId: reader, name: "app" };
        const { data } = await resolveKeychain(other.control.executions, asked);
        expect(data).toEqual({ of: String(n) });
      }
    });

    test("has no name of the playbook's own, and nothing in it is a template", async () => {
      const { asked, options } = idp(answer);
      const world = shelf().open({ keychainOptions: options });
      await world.register(playbook("k/secret", ""));
      const commandId = await commandOf(world, "k/secret");
      const { executions } = world.control;
      const taken = readSecret(executions, { commandId, as: "api", ask });
      await expect(taken).rejects.toMatchObject({ code: "conflict" });
      const provider = "{{ workload.id }}";
      const evil = readSecret(executions, { commandId, as: "x", ask: { ...ask, provider } });
      await expect(evil).rejects.toThrow(
        "keychain entry x of kind secret_manager: provider: expected one of gcp",
      );
      expect(asked).toEqual([]);
    });
  });
});
