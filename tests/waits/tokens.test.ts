// Tokens by which a wait is answered without an account: each is good for one call, once, in time.
import { describe, expect, test } from "bun:test";
import { SignJWT } from "jose";
import { accessOf } from "#control/access/authenticate";
import { tokenCheck } from "#control/access/token-check";
import { callbackToken, readWaitToken, type WaitClaim, waitToken } from "#control/waits/tokens";
import { waitKeyOf } from "#control/waits/wait-key";
import type { ExecutionId } from "#core/model/ids";
import { executionId } from "#core/model/ids";
import { waitTokenPrefix } from "#core/model/wait-token";
import { onMemory, sha256, type World, type WorldOptions } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";

const [first, second] = ["first ".repeat(8), "second ".repeat(8)];
const at = (nowMs: number, waitKey?: string) => ({
  clock: { nowMs: () => nowMs, sleep: async () => {} },
  ...(waitKey === undefined ? {} : { waitKey }),
});
const startMs = Date.UTC(2026, 0, 1);

const claim: WaitClaim = {
  ...{ executionId: executionId("1234567890123456789"), key: "order/7", for: "approval" },
  ...{ commandId: "1234567890123456789:hold:1", role: "manager", by: "ada@example.org" },
  expiresAtMs: startMs + 60_000,
};

const code = (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => "done",
    (thrown: unknown) => String((thrown as { readonly code?: string }).code),
  );

describe("a token", () => {
  test("says what it was made for, until its time is over", async () => {
    const token = await waitToken(at(startMs, first), claim);
    expect(await readWaitToken(at(startMs + 59_000, first), token)).toEqual(claim);
    expect(await code(readWaitToken(at(startMs + 60_000, first), token))).toBe("unauthenticated");
  });

  test("is known by every key, and made with the first one", async () => {
    const old = await waitToken(at(startMs, first), claim);
    const rotated = at(startMs, `${second},${first}`);
    expect(await readWaitToken(rotated, old)).toEqual(claim);
    const young = await waitToken(rotated, claim);
    expect(await code(readWaitToken(at(startMs, first), young))).toBe("unauthenticated");
    expect(await readWaitToken(at(startMs, second), young)).toEqual(claim);
  });

  test("is not made without a key, and none is taken then", async () => {
    expect(await code(waitToken(at(startMs), claim))).toBe("unavailable");
    const token = await waitToken(at(startMs, first), claim);
    expect(await code(readWaitToken(at(startMs), token))).toBe("unauthenticated");
    expect(await callbackToken(at(startMs), claim.executionId, "k")).toBe("");
  });

  const bytes = new TextEncoder().encode(first);
  const said = { execution: claim.executionId, key: "k", for: "callback" };
  const signed = (part: { alg?: string; aud?: string; exp?: number; more?: object }) => {
    const { alg = "HS256", aud = "noetl-wait", more = {} } = part;
    const token = new SignJWT({ ...said, ...more }).setProtectedHeader({ alg }).setAudience(aud);
    return ("exp" in part ? token : token.setExpirationTime("9y")).sign(bytes);
  };
  const encoded = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const forged: Readonly<Record<string, () => Promise<string> | string>> = {
    "of no algorithm": () =>
      `${encoded({ alg: "none" })}.${encoded({ ...said, aud: "noetl-wait", exp: 9e9 })}.`,
    "of another algorithm": () => signed({ alg: "HS512" }),
    "for another audience": () => signed({ aud: "noetl-control" }),
    "without a time": () => signed({ exp: 0 }),
    "of no execution": () => signed({ more: { execution: "x" } }),
    "of no kind": () => signed({ more: { for: "timer" } }),
    "cut off": async () => (await signed({})).slice(0, -2),
    empty: () => "",
    "very long": () => `e30.${"A".repeat(10_000)}.e30`,
  };
  for (const [what, make] of Object.entries(forged)) {
    test(`${what} is refused`, async () => {
      const token = `${waitTokenPrefix}${await make()}`;
      expect(await code(readWaitToken(at(startMs, first), token))).toBe("unauthenticated");
    });
  }

  test("that is good is taken with its prefix alone", async () => {
    const text = await signed({});
    const good = await readWaitToken(at(startMs, first), `${waitTokenPrefix}${text}`);
    expect(good).toMatchObject({ key: "k", for: "callback" });
    expect(await code(readWaitToken(at(startMs, first), text))).toBe("unauthenticated");
  });
});

test("keys are those of the setting, or others made of the master keys", () => {
  const master = (n: number): string => `k${n}:${Buffer.alloc(32, n).toString("base64")}`;
  const read = (): string => `${master(1)}\n`;
  const keyOf = (settings: object) => waitKeyOf(settings, { sha256, read });
  expect(keyOf({})).toBeUndefined();
  expect(keyOf({ NOETL_WAIT_KEY: `${first},${second}` })).toBe(`${first.trim()},${second.trim()}`);
  expect(() => keyOf({ NOETL_WAIT_KEY: "short" })).toThrow("at least 32 characters");
  const made = keyOf({ NOETL_MASTER_KEY: master(1) });
  expect(made).toMatch(/^[0-9a-f]{64}$/);
  expect(keyOf({ NOETL_MASTER_KEY_FILE: "there" })).toBe(made);
  const both = keyOf({ NOETL_MASTER_KEY: `${master(2)},${master(1)}` });
  expect(both?.split(",")[1]).toBe(made);
});

const playbook = (fields: string): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: wait, path: t/wait}
workflow:
- step: hold
  tool: {kind: wait, ${fields}}
  next: {arcs: [{step: after, when: "{{ event.name == 'call.done' }}"}]}
- step: after
  tool: {kind: noop, message: "{{ hold }}"}
  next: {arcs: [{step: hold}]}`;

async function waiting(world: World, fields: string): Promise<ExecutionId> {
  await world.register(playbook(fields));
  return world.start("t/wait");
}

/** Only who shows something is let in, as on a server. */
const strict: WorldOptions["access"] = ({ people }, clock) => {
  const settings = {
    NOETL_ACCESS: "required" as const,
    NOETL_INTERNAL_API_TOKEN: ["m".repeat(40)],
  };
  const tokens = tokenCheck({ people, sha256, clock, report: () => {} });
  return accessOf({ settings, tokens, sha256, clock });
};

onMemory((shelf) => {
  const open = (options: WorldOptions = {}): World => shelf().open({ waitKey: first, ...options });
  const link = async (world: World, id: ExecutionId, more: object = {}): Promise<string> =>
    (await world.client.approvalLink({ body: { execution_id: id, key: "k", ...more } })).url_token;
  const answer = (world: World, token: string, body: object = { decision: "approve" }) =>
    world.client.answerWait({ body: { token, ...body } });

  test("a link approves once, in the name of its role", async () => {
    const world = open();
    const id = await waiting(world, "for: approval, key: k");
    const token = await link(world, id, { role: "manager" });
    const decision = { decision: "approve", comment: "fine" };
    expect(await answer(world, token, decision)).toEqual({
      ...{ status: "accepted", execution_id: id, key: "k" },
    });
    expect(await code(answer(world, token))).toBe("conflict");
    const command = only(await handWorker(world.client).claim());
    const by = "manager by a link of local";
    expect(command.tasks[0]?.config["message"]).toMatchObject({ by, comment: "fine" });
    // The step waits again under the same key: the link was for the other time.
    await handWorker(world.client).settle([done(command)]);
    expect(await code(answer(world, token))).toBe("conflict");
    expect((await world.client.executionWaits({ params: { id } })).waits).toHaveLength(1);
    const { entries } = await world.client.listAudit({ query: {} });
    const actions = entries.map(({ action }) => action);
    expect(actions).toContain("approval.link");
    expect(actions).toContain("approval.decide");
  });

  test("a link is made for what is waited for, and answers in its kind alone", async () => {
    const world = open();
    const id = await waiting(world, "for: signal, key: k");
    expect(await code(link(world, id, { key: "other" }))).toBe("not_found");
    const token = await link(world, id);
    expect(await code(answer(world, token))).toBe("invalid");
    expect(await answer(world, token, { data: [1] })).toMatchObject({ status: "accepted" });
    expect(await answer(world, token, { data: [2] })).toMatchObject({ status: "duplicate" });
    const approval = await waiting(world, "for: approval, key: k");
    const other = await link(world, approval);
    expect(await code(answer(world, other, { data: [1] }))).toBe("invalid");
    expect(await code(answer(world, other, {}))).toBe("invalid");
    await world.client.cancelExecution({ params: { id: approval }, body: {} });
    expect(await answer(world, other)).toMatchObject({ status: "accepted_stale" });
    expect(await code(link(world, approval))).toBe("not_found");
  });

  test("without a key there are no links", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: approval, key: k");
    expect(await code(link(world, id))).toBe("unavailable");
  });

  test("a callback needs its token where people sign in: in the address or as a bearer", async () => {
    const sure = open();
    const id = await waiting(sure, "for: callback, key: k");
    const world = sure.another({ waitKey: first, access: strict });
    const send = async (key: string, token?: string, bearer?: string): Promise<number> => {
      const query = token === undefined ? "" : `?token=${encodeURIComponent(token)}`;
      const address = `http://control.example/api/executions/${id}/callbacks/${key}${query}`;
      const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      const request = new Request(address, { method: "POST", body: "{}", headers });
      return (await world.control.fetch(request)).status;
    };
    const { context } = sure.control.executions;
    const good = await callbackToken(context, id, "k");
    const elsewhere = await callbackToken(context, executionId("1234567890123456789"), "k");
    const approving = await waitToken(context, {
      ...{ executionId: id, key: "k", for: "approval" },
      expiresAtMs: Date.now() + 60_000,
    });
    expect(await send("k")).toBe(401);
    expect(await send("k", "nonsense")).toBe(401);
    expect(await send("k", undefined, "nonsense")).toBe(401);
    expect(await send("k", elsewhere)).toBe(403);
    expect(await send("k", approving)).toBe(403);
    expect(await send("other", good)).toBe(403);
    expect(await send("other", undefined, good)).toBe(403);
    expect(await send("k", undefined, good)).toBe(200);
    expect(await send("k", good)).toBe(200);
    expect(await send("other", undefined, "m".repeat(40))).toBe(200);
    // It says nothing of who asks anywhere else.
    const headers = { authorization: `Bearer ${good}` };
    const request = new Request("http://control.example/api/executions", { headers });
    expect((await world.control.fetch(request)).status).toBe(401);
  });

  test("a container's token is for its command, which the address must name", async () => {
    const sure = open();
    const id = await waiting(sure, "for: callback, key: k");
    const world = sure.another({ waitKey: first, access: strict });
    const command = `${id}:hold:1`;
    const good = await callbackToken(sure.control.executions.context, id, `container:${command}`);
    const send = async (query: string): Promise<number> => {
      const path = `/api/internal/container-callback/${id}/hold?token=${good}${query}`;
      const body = JSON.stringify({ state: "succeeded" });
      const request = new Request(`http://control.example${path}`, { method: "POST", body });
      return (await world.control.fetch(request)).status;
    };
    expect(await send("")).toBe(403);
    expect(await send(`&command_id=${id}:hold:2`)).toBe(403);
    expect(await send(`&command_id=${command}`)).toBe(200);
  });
});
