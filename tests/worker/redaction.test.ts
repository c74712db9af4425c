// What of a credential may be seen once a tool has been given it.

import { expect, test } from "bun:test";
import { Redaction, secretsOf } from "#worker/redaction";

const credential = {
  name: "pg",
  type: "postgres",
  data: {
    db_host: "db.example",
    db_user: "ada",
    db_password: "p4ss/w0rd",
    port: 5432,
    extra: { pin: "99887" },
  },
};

test("texts, keys and nested values lose every secret, in each form it travels in", () => {
  const redaction = new Redaction();
  redaction.note(credential);
  const output = redaction.output({
    status: "ok",
    data: {
      "key p4ss/w0rd": ["p4ss/w0rd", `x${btoa("p4ss/w0rd")}y`, encodeURIComponent("p4ss/w0rd")],
      basic: btoa("ada:p4ss/w0rd"),
      pin: "99887",
    },
    error: { kind: "pg", message: "no p4ss/w0rd", retryable: false },
  });
  expect(output).toEqual({
    status: "ok",
    data: { "key ***": ["***", "x***y", "***"], basic: "***", pin: "***" },
    error: { kind: "pg", message: "no ***", retryable: false },
  });
  expect(redaction.text("log p4ss/w0rd")).toBe("log ***");
});

test("hosts, users and ports stay readable", () => {
  expect(secretsOf(credential)).not.toContain("db.example");
  expect(secretsOf(credential)).not.toContain("ada");
  expect(secretsOf(credential)).not.toContain("5432");
});

test("a command without secrets hands its output on untouched", () => {
  const output = { status: "ok", data: { a: 1 } } as const;
  expect(new Redaction().output(output)).toBe(output);
});
