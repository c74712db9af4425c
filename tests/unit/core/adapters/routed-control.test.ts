// A worker's view of several replicas, over a network of the test's own: who is asked what, what is
// asked again elsewhere, and what is never believed.
import { describe, expect, test } from "bun:test";
import { routedControl } from "#core/adapters/routed-control";
import { commandId, executionId } from "#core/model/ids";
import { memberDownMsMax } from "#core/model/limits";
import {
  acquainted,
  network,
  outcome,
  outcomesOf,
  ownedBy,
  work,
} from "#tests/support/replica-network";
import { settled, virtualClock } from "#tests/support/virtual-clock";

describe("a worker of several replicas", () => {
  const three = ["a", "b", "c"];

  test("reports each outcome to the replica that owns its execution, and shares out what it wants", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const executions = [ownedBy("a", three), ownedBy("b", three), ownedBy("b", three, 1)];
    executions.push(ownedBy("c", three));
    const reply = await control.settle({ ...work, want: 5, outcomes: executions.map(outcome) });
    expect(reply.verdicts).toEqual(["accepted", "accepted", "accepted", "accepted"]);
    const sent = net.take("/api/commands/settle");
    expect(sent.map(({ host }) => host).sort()).toEqual(three);
    for (const one of sent) expect(outcomesOf(one)).toHaveLength(one.host === "b" ? 2 : 1);
    const wants = sent.map(({ body }) => Number(body["want"]));
    expect(wants.reduce((sum, want) => sum + want, 0)).toBe(5);
    expect(Math.min(...wants)).toBeGreaterThan(0);
    expect(reply.commands.length).toBeLessThanOrEqual(5);
  });

  test("reports what belongs to one replica in one request", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a", "c");
    const outcomes = [0, 1, 2].map((nth) => outcome(ownedBy("c", three, nth)));
    await control.settle({ ...work, want: 3, outcomes });
    expect(net.take("/api/commands/settle")).toMatchObject([{ host: "c", body: { want: 3 } }]);
  });

  test("says to one of them at most that it is idle, and heeds whichever asks it to run empty", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const outcomes = three.map((host) => outcome(ownedBy(host, three)));
    await control.settle({ ...work, want: 3, idle: true, outcomes });
    // Each still goes to its owner: slots that end together make a worker idle all the time.
    const sent = net.take("/api/commands/settle");
    expect(sent.map(({ host }) => host).sort()).toEqual(three);
    for (const { body } of sent) expect(body["idle"]).toBeUndefined();
    await control.settle({ ...work, want: 3, idle: true, outcomes: outcomes.slice(1, 2) });
    const alone = net.take("/api/commands/settle");
    expect(alone).toMatchObject([{ host: "b", body: { want: 3, idle: true } }]);
    net.answer = ({ host, path }) =>
      path === "/api/commands/settle"
        ? Response.json({ verdicts: ["accepted"], commands: [], quiesce: host === "b" })
        : undefined;
    expect(await control.settle({ ...work, outcomes })).toMatchObject({ quiesce: true });
  });

  test("claims from all of them in turn", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    for (let n = 0; n < 6; n++) await control.claim(work);
    const hosts = net.take("/api/commands/claim").map(({ host }) => host);
    expect(hosts.filter((host) => host === "a")).toHaveLength(2);
    expect(new Set(hosts).size).toBe(3);
  });

  test("verdicts come back in the order of the outcomes, whoever gave them", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    net.answer = ({ host, path, body }) => {
      if (path !== "/api/commands/settle") return undefined;
      const verdict = { a: "accepted", b: "gone", c: "duplicate" }[host];
      return Response.json({
        verdicts: (body["outcomes"] as readonly unknown[]).map(() => verdict),
        commands: [],
      });
    };
    const outcomes = ["c", "a", "b", "a"].map((host, nth) => outcome(ownedBy(host, three, nth)));
    const { verdicts } = await control.settle({ ...work, outcomes });
    expect(verdicts).toEqual(["duplicate", "accepted", "gone", "accepted"]);
  });

  test("reports to another replica what its owner doesn't take, and leaves it alone for a while", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    net.lossy.add("b");
    const outcomes = [outcome(ownedBy("b", three))];
    expect((await control.settle({ ...work, outcomes })).verdicts).toEqual(["accepted"]);
    const first = net.take("/api/commands/settle").map(({ host }) => host);
    expect(first).toHaveLength(2);
    expect(first[0]).toBe("b");
    await control.settle({ ...work, outcomes });
    expect(net.take("/api/commands/settle").map(({ host }) => host)).not.toContain("b");
    net.lossy.clear();
    await net.clock.advance(memberDownMsMax);
    await control.settle({ ...work, outcomes });
    expect(net.take("/api/commands/settle").map(({ host }) => host)).toEqual(["b"]);
  });

  test("does not wait for a replica that says nothing", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    net.silent.add("b");
    const outcomes = [outcome(ownedBy("b", three)), outcome(ownedBy("a", three))];
    const reply = control.settle({ ...work, outcomes });
    await net.clock.advance(6_000);
    expect((await reply).verdicts).toEqual(["accepted", "accepted"]);
  });

  test("asks another replica for commands only if the request surely never arrived", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    for (const host of three) net.lossy.add(host);
    await expect(control.claim(work)).rejects.toMatchObject({ code: "unavailable" });
    expect(net.take("/api/commands/claim")).toHaveLength(1);
    net.lossy.clear();
    await net.clock.advance(memberDownMsMax);
    net.refused.add("a").add("b");
    for (let n = 0; n < 3; n++) await control.claim(work);
    expect(net.take("/api/commands/claim").map(({ host }) => host)).toEqual(["c", "c", "c"]);
  });

  test("does not ask another for commands when a replica answered that it can't", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const error = { code: "unavailable", message: "the database is away" };
    net.answer = () => Response.json({ error }, { status: 503 });
    await expect(control.claim(work)).rejects.toMatchObject({ code: "unavailable" });
    expect(net.take("/api/commands/claim")).toHaveLength(1);
  });

  test("keeps what some replicas recorded when others can't; the rest is to be reported again", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const error = { code: "unavailable", message: "not now" };
    const unlucky = outcome(ownedBy("b", three));
    net.answer = ({ path, body }) =>
      path === "/api/commands/settle" && JSON.stringify(body).includes(unlucky.command_id)
        ? Response.json({ error }, { status: 503 })
        : undefined;
    const outcomes = [unlucky, outcome(ownedBy("a", three))];
    const reply = await control.settle({ ...work, want: 2, outcomes });
    expect(reply.verdicts).toEqual(["retry", "accepted"]);
    expect(reply.commands).toHaveLength(1);
    const all = { ...work, outcomes: [unlucky] };
    await expect(control.settle(all)).rejects.toMatchObject({ code: "unavailable" });
    net.answer = () => Response.json({ error }, { status: 503 });
    await expect(control.settle({ ...work, outcomes })).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("a request that one of them refuses is refused as a whole, and no other is asked", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const bad = outcome(ownedBy("c", three));
    const error = { code: "too_large", message: "too large" };
    net.answer = ({ path, body }) =>
      path === "/api/commands/settle" && JSON.stringify(body).includes(bad.command_id)
        ? Response.json({ error }, { status: 413 })
        : undefined;
    const outcomes = [outcome(ownedBy("a", three)), bad];
    await expect(control.settle({ ...work, outcomes })).rejects.toMatchObject({
      code: "too_large",
    });
    expect(net.take("/api/commands/settle")).toHaveLength(2);
  });

  test("follows the map when replicas come and go", async () => {
    const net = network("a", "b");
    const control = await acquainted(net, "a");
    net.members.push("c");
    await net.clock.advance(2_000);
    await control.claim(work);
    await settled();
    net.asked.length = 0;
    await control.settle({ ...work, outcomes: [outcome(ownedBy("c", three))] });
    expect(net.take("/api/commands/settle")).toMatchObject([{ host: "c" }]);
    net.members.splice(0, 1);
    net.refused.add("a");
    await net.clock.advance(2_000);
    await control.claim(work);
    await settled();
    net.asked.length = 0;
    const moved = ownedBy("b", ["b", "c"]);
    await control.settle({ ...work, outcomes: [outcome(moved)] });
    expect(net.take("/api/commands/settle")).toMatchObject([{ host: "b" }]);
  });

  test("asks for the map at most once a second while replicas contradict each other", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    await net.clock.advance(2_000);
    let flips = 0;
    net.answer = ({ path }) => {
      if (path !== "/api/commands/claim") return undefined;
      flips += 1;
      net.members.splice(0, net.members.length, ...(flips % 2 === 0 ? three : ["a", "b"]));
      return undefined;
    };
    for (let n = 0; n < 20; n++) {
      await control.claim(work);
      await settled();
    }
    expect(net.take("/api/shard-info").length).toBeLessThanOrEqual(1);
  });

  test("comes back by the addresses it began with when all replicas it knew are gone", async () => {
    const net = network("a", "b");
    const control = await acquainted(net, "front", "a");
    for (const host of ["a", "b"]) net.refused.add(host);
    const outcomes = [outcome(ownedBy("b", ["a", "b"]))];
    await control.settle({ ...work, outcomes });
    expect(net.take("/api/commands/settle")).toMatchObject([{ host: "front" }]);
  });

  test("reads and stores results, and reads credentials, at the owner", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const id = executionId(ownedBy("b", three));
    await control.resolveResult(`noetl://execution/${id}/event/7`);
    await control.putResult(id, "x", 1);
    // Nothing is sealed in the answers of this network.
    const credential = control.credential("w", commandId(id, "s", 1), "db");
    await expect(credential).rejects.toMatchObject({ code: "invalid" });
    expect(net.asked.map(({ host }) => host)).toEqual(["b", "b", "b"]);
    net.lossy.add("b");
    await control.resolveResult(`noetl://execution/${id}/event/7`);
    expect(net.asked.at(-1)?.host).not.toBe("b");
  });

  test("renews all leases in one request, at another replica if need be", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    const leases = three.map((host) => ({
      commandId: commandId(executionId(ownedBy(host, three)), "s", 1),
      attempt: 1,
    }));
    net.refused.add("a").add("b");
    expect(await control.renew("w", leases)).toEqual(["renewed", "renewed", "renewed"]);
    expect(net.take("/api/commands/renew")).toMatchObject([{ host: "c" }]);
  });

  test("has the whole API at whichever replica answers", async () => {
    const net = network(...three);
    const control = await acquainted(net, "a");
    net.refused.add("a").add("b");
    await control.client.workerHeartbeat({ body: { name: "w" } });
    expect(net.take("/api/worker/pool/heartbeat")).toMatchObject([{ host: "c" }]);
  });
});

describe("a worker of one replica", () => {
  test("sends everything to the address it was given, in one piece", async () => {
    const net = network("a");
    const control = await acquainted(net, "front");
    const outcomes = [outcome("400000000000001"), outcome("400000000000002")];
    await control.settle({ ...work, want: 2, outcomes });
    await control.claim(work);
    expect(net.asked.map(({ host, path }) => `${host}${path}`)).toEqual([
      "front/api/commands/settle",
      "front/api/commands/claim",
    ]);
  });

  test("throws what a single request would, once", async () => {
    const net = network("a");
    const control = await acquainted(net, "a");
    net.lossy.add("a");
    await expect(control.claim(work)).rejects.toMatchObject({ code: "unavailable" });
    await expect(
      control.settle({ ...work, outcomes: [outcome("400000000000001")] }),
    ).rejects.toMatchObject({ code: "unavailable" });
    expect(net.asked).toHaveLength(2);
  });
});

describe("the identity of the cluster", () => {
  test("that answered first is the one a worker stays with", async () => {
    const net = network("a");
    net.cluster.set("a", "cluster-1");
    const control = await acquainted(net, "a");
    net.cluster.set("a", "cluster-2");
    const conflict = { code: "conflict", message: expect.stringContaining("cluster-2") };
    await expect(control.claim(work)).rejects.toMatchObject(conflict);
    const outcomes = [outcome("400000000000001")];
    await expect(control.settle({ ...work, outcomes })).rejects.toMatchObject(conflict);
    await expect(control.client.health()).rejects.toMatchObject(conflict);
    net.cluster.set("a", "cluster-1");
    expect((await control.settle({ ...work, outcomes })).verdicts).toEqual(["accepted"]);
  });

  test("is told with each request, so that another cluster refuses it", async () => {
    const told: (string | null)[] = [];
    const clock = virtualClock();
    const control = routedControl({
      servers: ["http://a"],
      clock,
      fetch: async (request) => {
        told.push(request.headers.get("x-noetl-cluster"));
        return Response.json({ commands: [] }, { headers: { "x-noetl-cluster": "cluster-1" } });
      },
    });
    await control.claim(work);
    await control.claim(work);
    expect(told).toEqual([null, "cluster-1"]);
  });

  test("keeps a stray replica's answers out, and the others go on", async () => {
    const net = network("a", "b");
    for (const host of ["a", "b"]) net.cluster.set(host, "cluster-1");
    const control = await acquainted(net, "a");
    net.cluster.set("b", "cluster-2");
    net.answer = ({ host, path }) =>
      host === "b" && path === "/api/commands/settle"
        ? Response.json({ verdicts: ["gone"], commands: [] })
        : undefined;
    const outcomes = [outcome(ownedBy("b", ["a", "b"]))];
    expect((await control.settle({ ...work, outcomes })).verdicts).toEqual(["accepted"]);
  });
});
