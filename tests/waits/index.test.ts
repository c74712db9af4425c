// Lists of what all executions wait for: kept up with the log, made anew from it, told to whom it
// concerns.
import { expect, test } from "bun:test";
import { indexPage, stretches, waitIndexer } from "#control/waits/index-role";
import { apiClient } from "#core/adapters/api-client";
import { memoryStores } from "#core/adapters/memory-stores";
import type { Principal, Role } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import { eventually, onBothStores, onMemory, type World } from "#tests/support/control";
import { done, handWorker } from "#tests/support/hand-worker";
import { virtualClock } from "#tests/support/virtual-clock";

const playbook = (path: string, fields: string): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: wait, path: ${path}}
workflow:
- step: start
  tool: {kind: noop}
  next: {arcs: [{step: "hold:1"}]}
- step: "hold:1"
  tool: {kind: wait, ${fields}}`;

async function started(world: World, fields: string): Promise<ExecutionId> {
  const path = `t/${fields.replace(/\W/g, "_")}`;
  await world.register(playbook(path, fields));
  return world.start(path);
}

/** All that are started are at their waits. */
async function pass(world: World): Promise<void> {
  const worker = handWorker(world.client);
  for (;;) {
    const commands = await worker.claim();
    if (commands.length === 0) return;
    await worker.settle(commands.map((command) => done(command)));
  }
}

async function caughtUp(world: World, from?: string): Promise<string> {
  const { executions } = world.control;
  let page = await indexPage(executions, from);
  while (page.more) page = await indexPage(executions, page.next);
  return page.next;
}

const clientOf = ({ control }: World, role: Role, subject = `${role}@example.org`) => {
  const principal: Principal = { kind: "person", subject, tenant: "default", role };
  return apiClient({ fetch: control.fetchAs(principal), baseUrl: "http://control" });
};

const listed = async (world: World, query: object = {}): Promise<readonly unknown[]> => {
  const { waits } = await world.client.listWaits({ query });
  return waits.map((wait) => [wait.execution_id, wait.step, wait.for, wait.key]);
};

onBothStores((shelf) => {
  test("what waits is listed until it is answered, cancelled or over", async () => {
    const world = shelf().open();
    const approval = await started(world, "for: approval, key: a, approvers: {roles: [admin]}");
    const signal = await started(world, "for: signal, key: s");
    const timer = await started(world, "for: timer, seconds: 500");
    await pass(world);
    const position = await caughtUp(world);
    expect(await listed(world)).toEqual([
      [approval, "hold:1", "approval", "a"],
      [signal, "hold:1", "signal", "s"],
      [timer, "hold:1", "timer", "hold:1:1"],
    ]);
    expect(await listed(world, { for: "signal" })).toHaveLength(1);
    expect(await listed(world, { execution_id: timer })).toHaveLength(1);
    expect(await listed(world, { limit: 1, after: `${approval}:hold:1:1` })).toEqual([
      [signal, "hold:1", "signal", "s"],
    ]);
    await world.client.signalExecution({ params: { id: signal }, body: { key: "s" } });
    await world.client.cancelExecution({ params: { id: timer }, body: {} });
    const next = await caughtUp(world, position);
    expect(await listed(world)).toEqual([[approval, "hold:1", "approval", "a"]]);
    const [wait] = (await world.client.listWaits({ query: {} })).waits;
    const [same] = (await world.client.executionWaits({ params: { id: approval } })).waits;
    expect(wait).toEqual(same as never);
    // From the beginning, and from the middle once more: the same, and nothing else.
    const stale = { executionId: approval, commandId: `${approval}:gone:1` as CommandId };
    const gone = { ...stale, for: "signal", key: "g", step: "gone", sinceMs: 1 } as const;
    await world.stores.waits.apply({ early: [], opened: [gone], closed: [], ended: [] });
    await caughtUp(world);
    await caughtUp(world, position);
    expect(await listed(world)).toHaveLength(1);
    expect(await caughtUp(world, next)).toBeString();
  });

  test("a wait that was answered before it began is never listed", async () => {
    const world = shelf().open();
    const id = await started(world, "for: signal, key: s");
    await world.client.signalExecution({ params: { id }, body: { key: "s" } });
    await caughtUp(world);
    await pass(world);
    await caughtUp(world);
    expect(await listed(world)).toEqual([]);
  });

  test("approvals are listed to those who may give them", async () => {
    const world = shelf().open();
    await started(world, "for: approval, key: a, approvers: {roles: [admin]}");
    await started(world, "for: approval, key: b");
    await started(world, "for: approval, key: c, approvers: {users: [ada@example.org]}");
    await started(world, "for: signal, key: s");
    await pass(world);
    await caughtUp(world);
    const keys = async (role: Role, subject?: string): Promise<string> => {
      const { waits } = await clientOf(world, role, subject).listApprovals({ query: {} });
      return waits.map(({ key }) => key).join("");
    };
    expect(await keys("viewer")).toBe("");
    expect(await keys("operator")).toBe("b");
    expect(await keys("admin")).toBe("ab");
    expect(await keys("viewer", "ada@example.org")).toBe("c");
  });
});

onMemory((shelf) => {
  test("the role keeps up with the log, also over a time without the store", async () => {
    const { clock } = shelf();
    let isAway = false;
    const world = shelf().open({
      clock,
      wrap: ({ feed }) => ({
        feed: {
          ...feed,
          after: async (...asked) => {
            if (isAway) throw new Fault("unavailable", "the store is away");
            return feed.after(...asked);
          },
        },
      }),
    });
    const reports: string[] = [];
    const report = (message: string): void => void reports.push(message);
    const role = waitIndexer(world.control.executions, { owner: "a", report });
    isAway = true;
    const id = await started(world, "for: signal, key: s");
    await pass(world);
    await clock.advance(2_000);
    isAway = false;
    await clock.advance(10_000);
    expect(await listed(world)).toHaveLength(1);
    await world.client.signalExecution({ params: { id }, body: { key: "s" } });
    await clock.advance(1_000);
    expect(await listed(world)).toEqual([]);
    await role.stop();
    expect(reports).toEqual(["index of waits: the store is away"]);
  });

  test("a log that went back to an earlier time is read from its beginning", async () => {
    const world = shelf().open();
    await started(world, "for: signal, key: s");
    await pass(world);
    const elsewhere = memoryStores(virtualClock());
    const position = await elsewhere.feed.end();
    const { context } = world.control.executions;
    const lost = {
      ...context.feed,
      after: async (...asked: Parameters<typeof context.feed.after>) => {
        if (asked[0] === position) throw new Fault("conflict", "of another timeline");
        return context.feed.after(...asked);
      },
    };
    await indexPage({ context: { ...context, feed: lost } }, position);
    expect(await eventually(async () => listed(world))).toHaveLength(1);
  });

  test("an early answer is for what comes behind it, not for what stood before it", async () => {
    const world = shelf().open();
    const id = await started(world, "for: signal, key: s");
    await pass(world);
    const events = await world.events(id);
    const parked = events.filter(({ type }) => type === "wait.parked");
    const early = { ...parked[0], type: "wait.done", command_id: undefined, for: "signal" };
    const pieces = stretches([...parked, early as never, ...parked]);
    expect(pieces.map(({ early: a, opened }) => [a.length, opened.length])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });
});
