// Entries as control planes resolve them: fetched once for all who want them, kept sealed for as long
// as they are good, renewed before they end, and of nobody but whom their scope says.

import { expect, test } from "bun:test";
import { fixedKeys } from "#control/secrets/key-ring";
import { sealsOf } from "#control/secrets/sealed";
import { memoryKeychain } from "#core/adapters/memory-keychain";
import { keychainBytesMax, keychainHoldMs, keychainPollMs } from "#core/model/keychain-limits";
import type { KeychainRow } from "#core/ports/keychain-store";
import { onMemory, onPglite, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { until, virtualClock } from "#tests/support/virtual-clock";
import { commandOf, idp, looped, playbook, tokenFor } from "./scene.ts";

onMemory((shelf) => {
  test("of 50 commands over three control planes one has it fetched", async () => {
    const { asked, options: keychainOptions } = idp();
    const clock = shelf().clock;
    const first = shelf().open({ keychainOptions, clock });
    const worlds = [first, first.another({ keychainOptions, clock })];
    worlds.push(first.another({ keychainOptions, clock }));
    await first.register(playbook("k/many", "", looped));
    await first.start("k/many", { id: "x", items: Array.from({ length: 50 }, (_, n) => n) });
    const commands = await handWorker(first.client).claim(50);
    expect(commands).toHaveLength(50);
    const answers = commands.map(({ command_id: id }, n) => tokenFor(worlds[n % 3] as World, id));
    let done = false;
    const tokens = Promise.all(answers).finally(() => {
      done = true;
    });
    while (!done) await clock.advance(keychainPollMs);
    expect(new Set(await tokens)).toEqual(new Set(["token-1"]));
    expect(asked).toEqual(["id=x"]);
  });

  test("where who fetches it dies, the next one does once its time is over", async () => {
    const { asked, options } = idp(
      () => new Promise<Response>(() => undefined),
      () => Response.json({ access_token: "second" }),
    );
    const { clock } = shelf();
    const first = shelf().open({ keychainOptions: options, clock: virtualClock() });
    const second = first.another({ keychainOptions: options, clock });
    await first.register(playbook("k/dies", ""));
    const commandId = await commandOf(first, "k/dies");
    tokenFor(first, commandId).catch(() => undefined);
    await until(() => asked.length === 1);
    const token = tokenFor(second, commandId);
    await clock.advance(keychainHoldMs - 1_000);
    expect(asked).toHaveLength(1);
    await clock.advance(2_000);
    expect(await token).toBe("second");
    expect(asked).toHaveLength(2);
  });

  test("it is renewed beside those who read it, and kept while that fails", async () => {
    const broken = () => new Response("no", { status: 500 });
    const { asked, options } = idp(
      () => Response.json({ access_token: "old", expires_in: 130 }),
      broken,
      broken,
      () => Response.json({ access_token: "new", expires_in: 130 }),
      broken,
    );
    const { clock } = shelf();
    const world = shelf().open({ keychainOptions: options, clock });
    await world.register(playbook("k/renewed", ", auto_renew: true"));
    const commandId = await commandOf(world, "k/renewed");
    const token = () => tokenFor(world, commandId);
    expect(await token()).toBe("old");
    // 100 seconds, of which the last 20 are for renewing.
    await clock.advance(79_000);
    expect(await token()).toBe("old");
    expect(asked).toHaveLength(1);
    await clock.advance(1_000);
    expect(await token()).toBe("old");
    await until(() => asked.length === 2);
    expect(await token()).toBe("old");
    await clock.advance(keychainHoldMs - 1);
    expect(await token()).toBe("old");
    expect(asked).toHaveLength(2);
    expect(world.reports.join()).toContain(
      "keychain entry api could not be renewed: the token endpoint answered 500",
    );
    await clock.advance(keychainHoldMs);
    // By now it has run out: whoever asks waits for a new one.
    await expect(token()).rejects.toThrow(
      "keychain entry api of kind oauth2: the token endpoint answered 500",
    );
    expect(await token()).toBe("new");
    await clock.advance(90_000);
    expect(await token()).toBe("new");
    expect(asked).toHaveLength(5);
  });

  test("a renewed one is there for the next who asks", async () => {
    const { asked, options } = idp();
    const { clock } = shelf();
    const world = shelf().open({ keychainOptions: options, clock });
    await world.register(playbook("k/next", ", auto_renew: true, ttl_seconds: 100"));
    const commandId = await commandOf(world, "k/next");
    expect(await tokenFor(world, commandId)).toBe("token-1");
    await clock.advance(85_000);
    expect(await tokenFor(world, commandId)).toBe("token-1");
    await until(() => asked.length === 2);
    await clock.advance(30_000);
    expect(await tokenFor(world, commandId)).toBe("token-2");
    expect(asked).toHaveLength(2);
  });

  test("what a key has sealed that nobody has at hand is fetched anew by whoever asks", async () => {
    const { options } = idp();
    const world = shelf().open({ keychainOptions: options });
    const catalogId = await world.register(playbook("k/lost", ""));
    const commandId = await commandOf(world, "k/lost");
    expect(await tokenFor(world, commandId)).toBe("token-1");
    const [row] = await world.stores.keychain.ofCatalog(catalogId);
    const lost = sealsOf(fixedKeys(`lost:${btoa("l".repeat(32))}`));
    const { cacheKey = "", tenant = "" } = row ?? {};
    const sealed = await lost.seal('{"token":"x"}', { kind: "keychain", tenant, name: cacheKey });
    await world.stores.keychain.put({ ...(row as KeychainRow), sealed, kid: "lost" });
    const fresh = world.another({ keychainOptions: options });
    expect(await tokenFor(fresh, commandId)).toBe("token-2");
    expect(fresh.reports.join()).toContain("keychain entry api can't be opened: key lost");
  });

  test("an entry that is too large is given to nobody", async () => {
    const token = "x".repeat(keychainBytesMax);
    const { options } = idp(() => Response.json({ access_token: token }));
    const world = shelf().open({ keychainOptions: options });
    await world.register(playbook("k/large", ""));
    const commandId = await commandOf(world, "k/large");
    await expect(tokenFor(world, commandId)).rejects.toMatchObject({
      code: "too_large",
      message: `keychain entry api of kind oauth2: expected an entry of at most ${keychainBytesMax} bytes`,
    });
  });

  test("a fetch that failed is tried again by the next who asks", async () => {
    const { options } = idp(
      () => new Response("", { status: 401 }),
      () => Response.json({ access_token: "t" }),
    );
    const world = shelf().open({ keychainOptions: options });
    await world.register(playbook("k/again", ""));
    const commandId = await commandOf(world, "k/again");
    await expect(tokenFor(world, commandId)).rejects.toMatchObject({ code: "forbidden" });
    expect(await tokenFor(world, commandId)).toBe("t");
  });

  test("without a master key it is kept in the memory of the process, and put nowhere", async () => {
    const { asked, options } = idp();
    const unsealed = memoryKeychain(shelf().clock);
    const world = shelf().open({ keychainOptions: { ...options, unsealed }, seals: false });
    const catalogId = await world.register(playbook("k/plain", ""));
    const commandId = await commandOf(world, "k/plain");
    expect(await tokenFor(world, commandId)).toBe("token-1");
    expect(await tokenFor(world, commandId)).toBe("token-1");
    expect(asked).toHaveLength(1);
    expect(await world.stores.keychain.executions("", 10)).toEqual([]);
    expect(await world.stores.keychain.ofCatalog(catalogId)).toEqual([]);
    // Without such a memory it is fetched by each who asks, and once by those who ask together.
    const bare = world.another({ keychainOptions: options, seals: false });
    expect(await tokenFor(bare, commandId)).toBe("token-2");
    const together = Array.from({ length: 9 }, () => tokenFor(bare, commandId));
    expect(new Set(await Promise.all(together))).toEqual(new Set(["token-3"]));
  });
});

onPglite((shelf) => {
  test("what is kept is sealed, and opens only where it lies", async () => {
    const { asked, options } = idp();
    const world = shelf().open({ keychainOptions: options });
    const catalogId = await world.register(playbook("k/sealed", ""));
    const commandId = await commandOf(world, "k/sealed");
    expect(await tokenFor(world, commandId)).toBe("token-1");
    expect(await tokenFor(world, commandId)).toBe("token-1");
    expect(asked).toHaveLength(1);
    const [row] = await world.stores.keychain.ofCatalog(catalogId);
    expect(JSON.stringify(row)).not.toContain("token-1");
    expect(row).toMatchObject({ tenant: "default", name: "api", kind: "oauth2", kid: "test" });
    await world.register(playbook("k/other", ""));
    const other = await commandOf(world, "k/other");
    expect(await tokenFor(world, other)).toBe("token-2");
    const { sql } = shelf();
    await sql?.query(
      `update noetl.keychain k set sealed = o.sealed from noetl.keychain o
      where o.cache_key <> k.cache_key`,
    );
    // One that has not looked at it a moment ago.
    const fresh = world.another({ keychainOptions: options });
    await expect(tokenFor(fresh, commandId)).rejects.toMatchObject({ code: "internal" });
  });
});
