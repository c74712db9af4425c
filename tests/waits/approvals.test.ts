// Signals and approvals: who may give them, and that each wait is answered once, by its own kind.
import { describe, expect, test } from "bun:test";
import { decisionOutput, mayAnswer } from "#control/waits/approvals";
import { apiClient } from "#core/adapters/api-client";
import { localAdmin, type Principal, type Role } from "#core/model/access";
import type { ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import { eventually, onBothStores, onMemory, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";

const playbook = (fields: string): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: wait, path: t/wait}
workflow:
- step: start
  tool: {kind: noop}
  next: {arcs: [{step: hold}]}
- step: hold
  tool: {kind: wait, ${fields}}
  next:
    arcs:
    - {step: refused, when: "{{ event.name == 'call.error' and error.kind == 'rejected' }}"}
    - {step: late, when: "{{ event.name == 'call.error' and error.kind == 'timeout' }}"}
    - {step: after}
- {step: after, tool: {kind: noop, message: "{{ hold }}"}}
- {step: refused, tool: {kind: noop, message: "{{ hold }}"}}
- {step: late, tool: {kind: noop, message: "late"}}`;

async function started(world: World, fields: string): Promise<ExecutionId> {
  await world.register(playbook(fields));
  return world.start("t/wait");
}

/** Started, and at its wait. */
async function waiting(world: World, fields: string): Promise<ExecutionId> {
  const id = await started(world, fields);
  await pass(world);
  return id;
}

async function pass(world: World): Promise<void> {
  const worker = handWorker(world.client);
  await worker.settle([done(only(await worker.claim()))]);
}

/** Which step came behind the wait, and with what. */
async function behind(world: World): Promise<readonly [string, Json | undefined]> {
  const worker = handWorker(world.client);
  const command = await eventually(async () => (await worker.claim())[0]);
  return [command.step, command.tasks[0]?.config["message"]];
}

const person = (role: Role, subject = `${role}@example.org`): Principal => ({
  ...{ kind: "person", subject, tenant: "default", role },
});

const clientOf = ({ control }: World, principal: Principal) =>
  apiClient({ fetch: control.fetchAs(principal), baseUrl: "http://control" });

const decide = (world: World, id: ExecutionId, who: Principal, body: object = {}) =>
  clientOf(world, who).answerApproval({
    params: { id, key: "k" },
    body: { decision: "approve", ...body },
  });

const code = (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => "done",
    (thrown: unknown) => String((thrown as { readonly code?: string }).code),
  );

describe("who may answer an approval", () => {
  const people = {
    viewer: person("viewer"),
    operator: person("operator"),
    editor: person("editor"),
    admin: person("admin"),
    ada: person("viewer", "Ada@example.org"),
    platform: { ...localAdmin, role: "viewer" as const },
  };
  const cases: readonly (readonly [JsonObject | undefined, string])[] = [
    [undefined, "operator editor admin platform"],
    [{}, "operator editor admin platform"],
    [{ roles: [] }, "operator editor admin platform"],
    [{ roles: ["viewer"] }, "viewer operator editor admin ada platform"],
    [{ roles: ["admin", "editor"] }, "editor admin platform"],
    [{ roles: "admin" }, "admin platform"],
    [{ users: ["ada@example.org"] }, "ada platform"],
    [{ users: "ADA@EXAMPLE.ORG" }, "ada platform"],
    [{ roles: ["admin"], users: ["ada@example.org"] }, "admin ada platform"],
    // A role that there isn't lets nobody in.
    [{ roles: ["owner"] }, "platform"],
    [{ users: ["example.org"] }, "platform"],
  ];
  for (const [who, expected] of cases) {
    test(`where the step names ${JSON.stringify(who)}: ${expected}`, () => {
      const wait = { for: "approval", ...(who === undefined ? {} : { who }) } as const;
      const allowed = Object.entries(people).filter(([, one]) => mayAnswer(one, wait));
      expect(allowed.map(([name]) => name).join(" ")).toBe(expected);
    });
  }

  test("a machine answers none, and names are nothing to a signal", () => {
    const machine = { ...person("admin"), kind: "machine" } as const;
    expect(mayAnswer(machine, { for: "approval", who: { roles: ["viewer"] } })).toBe(false);
    const signal = { for: "signal", who: { roles: ["viewer"] } } as const;
    expect(mayAnswer(person("viewer"), signal)).toBe(false);
    expect(mayAnswer(person("operator"), signal)).toBe(true);
  });

  test("a decision carries who, when and why", () => {
    const given = { decision: "reject", comment: "no", by: "ada", atMs: 0 } as const;
    expect(decisionOutput(given)).toEqual({
      status: "error",
      data: { approved: false, by: "ada", at: "1970-01-01T00:00:00.000Z", comment: "no" },
      error: { kind: "rejected", code: "rejected", message: "rejected by ada", retryable: false },
    });
  });
});

onBothStores((shelf) => {
  test("an approval ends the wait with who gave it; a comment is data, whatever it says", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: approval, key: k, approvers: {roles: [editor]}");
    const comment = "<script>{{ 7*7 }}</script> 'ok'";
    expect(await code(decide(world, id, person("operator")))).toBe("forbidden");
    expect(await decide(world, id, person("editor"), { comment })).toMatchObject({
      status: "accepted",
    });
    const [step, data] = await behind(world);
    expect([step, data]).toEqual([
      "after",
      { approved: true, by: "editor@example.org", at: expect.any(String), comment },
    ]);
    const answered = (await world.events(id)).find(({ type }) => type === "wait.done");
    expect(answered).toMatchObject({ by: "editor@example.org" });
    expect(await world.problems(id)).toEqual([]);
  });

  test("a rejection takes its own arc", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: approval, key: k");
    await decide(world, id, person("operator"), { decision: "reject", comment: "too dear" });
    const [step, data] = await behind(world);
    expect(step).toBe("refused");
    expect(data).toMatchObject({ approved: false, comment: "too dear" });
  });

  test("of two decisions at once the first counts, and the other is told so", async () => {
    const world = shelf().open();
    const other = world.another();
    const id = await waiting(world, "for: approval, key: k");
    const told = await Promise.all([
      code(decide(world, id, person("operator"))),
      code(decide(other, id, person("admin"), { decision: "reject" })),
      code(decide(world, id, person("editor"))),
    ]);
    expect([...told].sort()).toEqual(["conflict", "conflict", "done"]);
    const [step] = await behind(world);
    expect(step).toBe(told[1] === "done" ? "refused" : "after");
    expect(await code(decide(world, id, person("operator")))).toBe("conflict");
  });

  test("a signal and a callback under an approval's key approve nothing, early or late", async () => {
    const world = shelf().open();
    const id = await started(world, "for: approval, key: k");
    const params = { id };
    const callback = () =>
      world.client.callback({ params: { id, key: "k" }, query: {}, body: { data: 1 } });
    const signal = () => world.client.signalExecution({ params, body: { key: "k", data: 2 } });
    expect(await code(decide(world, id, person("admin")))).toBe("not_found");
    expect((await callback()).status).toBe("accepted");
    expect((await signal()).status).toBe("accepted");
    expect((await signal()).status).toBe("duplicate");
    await pass(world);
    const { waits } = await world.client.executionWaits({ params });
    expect(waits).toMatchObject([{ for: "approval", key: "k", step: "hold", due: null }]);
    expect(await code(callback())).toBe("conflict");
    expect(await code(signal())).toBe("conflict");
    await decide(world, id, person("admin"));
    expect((await behind(world))[0]).toBe("after");
    expect(await world.problems(id)).toEqual([]);
  });

  test("a signal is taken by a wait for a signal, early too, and by no other", async () => {
    const world = shelf().open();
    const id = await started(world, "for: signal, key: k");
    const signal = (data: unknown) =>
      world.client.signalExecution({ params: { id }, body: { name: "k", data } });
    const callback = { params: { id, key: "k" }, query: {}, body: { data: "callback" } };
    expect((await world.client.callback(callback)).status).toBe("accepted");
    expect((await signal({ n: 1 })).status).toBe("accepted");
    expect((await signal({ n: 2 })).status).toBe("duplicate");
    await pass(world);
    expect(await behind(world)).toEqual(["after", { n: 1 }]);
    expect((await signal({ n: 3 })).status).toBe("duplicate");
    expect(await world.problems(id)).toEqual([]);
  });

  test("a signal to an execution that has ended changes nothing, and to none is refused", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: signal, key: k");
    await world.client.cancelExecution({ params: { id }, body: {} });
    const signal = (to: string) =>
      world.client.signalExecution({ params: { id: to }, body: { key: "k" } });
    expect((await signal(id)).status).toBe("accepted_stale");
    expect(await code(signal("1234567890123456789"))).toBe("not_found");
    expect(await decide(world, id, person("admin"))).toMatchObject({ status: "accepted_stale" });
  });
});

onMemory((shelf) => {
  test("an approval that nobody gives in time takes the arc of the timeout", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await waiting(world, "for: approval, key: k, timeout_s: 60");
    const { approvals } = await clientOf(world, person("viewer")).executionApprovals({
      params: { id },
    });
    expect(approvals).toMatchObject([{ key: "k", allowed: false }]);
    expect(Date.parse(approvals[0]?.due ?? "")).toBe(clock.nowMs() + 60_000);
    await clock.advance(61_000);
    await world.control.sweep.sweepOnce();
    expect(await behind(world)).toEqual(["late", "late"]);
    expect(await code(decide(world, id, person("admin")))).toBe("conflict");
  });

  test("decisions are audited, those of people who may not as refused", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: approval, key: k");
    await code(decide(world, id, person("viewer")));
    await decide(world, id, person("operator"));
    await world.client.signalExecution({ params: { id }, body: { key: "s" } });
    const { entries } = await world.client.listAudit({ query: {} });
    expect(entries.map(({ action }) => action)).toContain("execution.signal");
    const told = entries
      .filter(({ action }) => action === "approval.decide")
      .map(({ actor, outcome, object }) => [actor, outcome, object]);
    expect(told.sort()).toEqual([
      ["operator@example.org", "done", `execution/${id}`],
      ["viewer@example.org", "refused", `execution/${id}`],
    ]);
  });
});
