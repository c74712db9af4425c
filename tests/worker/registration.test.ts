// Registration: what is said and when, by a clock of the test, against a real control plane on
// memory stores whose network the test can cut.

import { describe, expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import { apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint } from "#core/adapters/system-clock";
import { runtimeHeartbeatMs, runtimeOfflineMs } from "#core/model/limits";
import type { RuntimeLoad } from "#core/ports/runtime-registry";
import { sha256 } from "#tests/support/control";
import { until, virtualClock } from "#tests/support/virtual-clock";
import { startRegistration } from "#worker/registration";
import { sealingKey } from "#worker/sealing";

const sealing = sealingKey();
const publicKey = await sealing.publicKey();

function setting() {
  const clock = virtualClock();
  const stores = memoryStores(clock);
  const bus = memoryBus();
  const ports = { ...stores, bus, clock, ids: snowflakeMint(clock, 1), sha256 };
  const control = startControl(
    { ...ports, credentials: async () => undefined, engineVersion: "test" },
    { access: openAccess(), report: () => {} },
  );
  const network = { isDown: false, isSilent: false, requests: 0 };
  const client = apiClient({
    baseUrl: "http://control",
    fetch: async (request) => {
      network.requests += 1;
      if (network.isDown) throw new Error("the network is down");
      if (network.isSilent) return new Promise<Response>(() => {});
      return control.fetch(request);
    },
  });
  const notices: string[] = [];
  let load: RuntimeLoad = { running: 0, free: 4, waiting: 0 };
  const registration = startRegistration({
    client,
    clock,
    name: "w-1",
    pools: ["default", "gpu"],
    labels: ["cuda"],
    capacity: 4,
    version: "1.2.3",
    load: () => load,
    sealing,
    notice: (message) => void notices.push(message),
    random: () => 1,
  });
  const live = async () => (await stores.runtime.live("worker_pool"))[0];
  const busy = (next: RuntimeLoad): void => {
    load = next;
  };
  return { clock, stores, network, notices, registration, live, busy, control };
}

describe("a worker that registers", () => {
  test("says what it is, and every five seconds how busy it is", async () => {
    const { clock, live, busy, registration, network, control } = setting();
    await clock.advance(1);
    expect(await live()).toMatchObject({
      name: "w-1",
      pools: ["default", "gpu"],
      labels: ["cuda"],
      capacity: 4,
      version: "1.2.3",
      pid: process.pid,
      load: { running: 0, free: 4, waiting: 0 },
      offlineMs: runtimeOfflineMs,
      details: { meta: { sealing_key: publicKey } },
    });
    expect(Object.keys(publicKey).sort()).toEqual(["crv", "kty", "x"]);
    busy({ running: 3, free: 1, waiting: 2 });
    await clock.advance(runtimeHeartbeatMs);
    expect((await live())?.load).toEqual({ running: 3, free: 1, waiting: 2 });
    await clock.advance(4 * runtimeHeartbeatMs);
    expect(network.requests).toBe(6);
    expect((await live())?.status).toBe("ready");
    await registration.stop();
    await control.stop();
  });

  test("is registered again by its next word when the control plane has forgotten it", async () => {
    const { clock, live, stores, registration, notices, control } = setting();
    await clock.advance(1);
    await stores.runtime.leave("worker_pool", "w-1");
    expect(await live()).toBeUndefined();
    await clock.advance(runtimeHeartbeatMs);
    expect((await live())?.name).toBe("w-1");
    expect(notices).toEqual([]);
    await registration.stop();
    await control.stop();
  });

  test("tries again with growing pauses, and says once that it can't and once that it can", async () => {
    const { clock, network, live, notices, registration, control } = setting();
    await clock.advance(1);
    network.isDown = true;
    network.requests = 0;
    await clock.advance(60_000);
    // 5 s apart at the most, soon after each other at first: 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, …
    expect(network.requests).toBeGreaterThan(12);
    expect(network.requests).toBeLessThan(20);
    expect(notices).toEqual(["worker w-1 can't say that it is there"]);
    expect(await live()).toBeUndefined();
    network.isDown = false;
    await clock.advance(runtimeHeartbeatMs);
    expect((await live())?.name).toBe("w-1");
    expect(notices).toEqual(["worker w-1 can't say that it is there", "worker w-1 is registered"]);
    await registration.stop();
    await control.stop();
  });

  test("does not wait for an answer that never comes", async () => {
    const { clock, network, live, notices, registration, control } = setting();
    await clock.advance(1);
    network.isSilent = true;
    await clock.advance(20_000);
    expect(notices).toEqual(["worker w-1 can't say that it is there"]);
    network.isSilent = false;
    await clock.advance(10_000);
    expect((await live())?.name).toBe("w-1");
    await registration.stop();
    await control.stop();
  });

  test("leaves when it stops, also in the middle of a word, and speaks no more", async () => {
    const { clock, network, live, registration, notices, control } = setting();
    await registration.stop();
    await until(() => network.requests >= 1);
    const { requests } = network;
    await clock.advance(4 * runtimeHeartbeatMs);
    expect(network.requests).toBe(requests);
    expect(await live()).toBeUndefined();
    expect(notices).toEqual([]);
    await control.stop();
  });

  test("stops in time when nobody answers", async () => {
    const { clock, network, registration, notices, control } = setting();
    await clock.advance(1);
    network.isSilent = true;
    const stopped = registration.stop();
    await clock.advance(10_000);
    await stopped;
    expect(notices).toEqual(["worker w-1 could not be deregistered"]);
    await control.stop();
  });
});
