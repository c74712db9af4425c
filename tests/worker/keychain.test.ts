// Entries of the keychain as a command reads them: for fields of tools alone, once for a while, and
// blanked out wherever they come back.

import { describe, expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import type { Json, JsonObject } from "#core/model/json";
import { keychainKeptByCommandMs } from "#core/model/keychain-limits";
import type { CredentialRecord } from "#core/ports/control-plane";
import { virtualClock } from "#tests/support/virtual-clock";
import {
  command,
  ok,
  outcomeOf,
  quietControl,
  rule,
  scriptedTool,
  task,
  tool,
} from "#tests/worker/commands";

const entries: Readonly<Record<string, JsonObject>> = {
  api: { token: "tok-of-api-1", pin: 987654321 },
  db: { password: "p&ss 'word'\nof two lines" },
};

function keeper() {
  const asked: string[] = [];
  const control = quietControl({
    keychain: async (_worker, _command, name): Promise<CredentialRecord> => {
      asked.push(name);
      const data = entries[name];
      if (data === undefined) throw new Fault("not_found", `keychain entry ${name} does not exist`);
      return { name, type: "static", data };
    },
    secret: async (_worker, _command, { as }) => {
      asked.push(`secret ${as}`);
      return ["value"];
    },
  });
  return { asked, control };
}

describe("an entry", () => {
  test("is asked for once by all fields and tasks that read it, and only by those", async () => {
    const { asked, control } = keeper();
    const seen = scriptedTool(ok(null), ok(null), ok(null));
    const holes = { a: "{{ keychain.api.token }}", "b.0": "x {{ keychain.api.pin }}" };
    const tasks = [
      task("one", { holes, config: { a: null, b: [null] } }),
      task("two", { holes, config: { a: null, b: [null] } }),
      task("three", { config: { plain: 1 } }),
    ];
    const { output } = await outcomeOf(command(tasks), [seen], { control });
    expect(output.error).toBeUndefined();
    expect(asked).toEqual(["api"]);
    expect(seen.calls.map(({ config }) => config)).toEqual([
      { a: "tok-of-api-1", b: ["x 987654321"] },
      { a: "tok-of-api-1", b: ["x 987654321"] },
      { plain: 1 },
    ]);
  });

  test("is asked for again after a while, because it may have been renewed", async () => {
    const { asked, control } = keeper();
    const clock = virtualClock();
    const slow = tool(async () => {
      await clock.advance(keychainKeptByCommandMs / 2);
      return ok(null);
    });
    const reading = (label: string) => task(label, { holes: { a: "{{ keychain.api.token }}" } });
    const tasks = ["one", "two", "three"].map(reading);
    const { output } = await outcomeOf(command(tasks), [slow], { control, clock });
    expect(output.status).toBe("ok");
    expect(asked).toEqual(["api", "api"]);
  });

  test("is blanked out in outputs, also as a number, in keys and in other spellings", async () => {
    const { control } = keeper();
    const { password } = entries["db"] as { password: string };
    const told: Json = {
      "tok-of-api-1": [987654321, 1_987_654_321, "pin 987654321"],
      url: `https://x/?p=${encodeURIComponent(password)}`,
      json: JSON.stringify({ password }),
      base64: Buffer.from(`ada:${password}`).toString("base64"),
      line: "first of two lines",
    };
    const seen = scriptedTool(ok(told));
    const holes = { a: "{{ keychain.api.token }}", b: "{{ keychain.db.password }}" };
    const { output } = await outcomeOf(command([task("one", { holes })]), [seen], { control });
    const data = output.data as JsonObject;
    expect(data["***"]).toEqual(["***", 1_987_654_321, "pin ***"]);
    expect(data["url"]).toBe("https://x/?p=***");
    expect(data["json"]).toBe('{"password":"***"}');
    expect(data["base64"]).not.toContain(Buffer.from(password).toString("base64").slice(4, 20));
    expect(data["line"]).toBe("first ***");
  });

  test("is for fields alone: a set and a rule that read one fail", async () => {
    const { asked, control } = keeper();
    const message = "keychain is for fields of tools: a secret must not reach the log";
    const set = { leak: "{{ keychain.api.token }}" };
    const one = await outcomeOf(command([task("one", { set })]), [scriptedTool(ok(null))], {
      control,
    });
    expect(one.output.error).toMatchObject({ kind: "credential", message });
    const rules = [rule("break", { when: "keychain.api.token == 'x'" })];
    const two = await outcomeOf(command([task("one", { rules })]), [scriptedTool(ok(null))], {
      control,
    });
    expect(two.output.error).toMatchObject({ kind: "credential", message });
    expect(asked).toEqual([]);
  });

  test("that is not there, or lacks the field, fails the call with its name", async () => {
    const error = async (text: string) => {
      const { control } = keeper();
      const one = task("one", { holes: { a: text } });
      return (await outcomeOf(command([one]), [scriptedTool(ok(null))], { control })).output.error;
    };
    expect(await error("{{ keychain.gone.x }}")).toMatchObject({
      kind: "credential",
      message: "keychain entry gone does not exist",
      retryable: false,
    });
    expect(await error("{{ keychain.api.tokn }}")).toMatchObject({
      kind: "credential",
      message: "keychain entry api has no field tokn, it has token, pin",
    });
    expect(await error("{{ keychain }}")).toMatchObject({
      message: "task one reads keychain[…], expected keychain.NAME",
    });
  });
});

test("tools reach entries and have secrets kept through their context, noted as any other", async () => {
  const { asked, control } = keeper();
  const own = tool(async (_config, context) => {
    const { data } = await context.keychain("api");
    const keys = await context.secret("other", { provider: "aws" });
    return ok({ told: data["token"] ?? null, keys: [...keys] });
  });
  const { output } = await outcomeOf(command([task("one")]), [own], { control });
  expect(output.data).toEqual({ told: "***", keys: ["value"] });
  expect(asked).toEqual(["api", "secret other"]);
});
