// What a secret looks like in the texts of others, and that none of it stays when it is blanked out.

import { describe, expect, test } from "bun:test";
import { Redaction, secretsOf } from "#worker/redaction";
import { blanker, formsOf } from "#worker/secret-forms";

const secret = `pa"ss 'w\\ord'/+&<žluť>\nsecond line`;
const blanked = (text: string, ...secrets: readonly string[]) =>
  blanker((secrets.length === 0 ? [secret] : secrets).flatMap(formsOf))(text);

describe("a secret is found", () => {
  const bytes = Buffer.from(secret);
  const written: Readonly<Record<string, string>> = {
    "as it is": secret,
    "in a URL": encodeURIComponent(secret),
    "in a URL with small letters": encodeURIComponent(secret).replace(/%../g, (at) =>
      at.toLowerCase(),
    ),
    "in a form":
      new URLSearchParams({ s: secret }).get("s") === secret
        ? new URLSearchParams({ s: secret }).toString().slice(2)
        : "",
    "in JSON": JSON.stringify(secret).slice(1, -1),
    "in JSON of ASCII": JSON.stringify(secret)
      .slice(1, -1)
      .replace("ž", "\\u017e")
      .replace("ť", "\\u0165"),
    "in JSON in JSON": JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    "in base64": bytes.toString("base64"),
    "in base64 of URLs": bytes.toString("base64url"),
    "in hexadecimal": bytes.toString("hex"),
    "in HTML": Bun.escapeHTML(secret),
  };
  for (const [how, text] of Object.entries(written)) {
    test(how, () => {
      expect(text).not.toBe("");
      expect(blanked(`before ${text} after`)).toBe("before *** after");
    });
  }

  test("in base64 of a longer text, wherever it stands there", () => {
    const inner = "the-secret-part-of-it";
    for (const before of ["", "u", "us", "use", "user"]) {
      const text = Buffer.from(`${before}${inner}tail`).toString("base64");
      const rest = Buffer.from(blanked(text, inner).replaceAll("***", ""), "base64").toString();
      expect(rest).not.toContain("secret-part");
    }
  });

  test("in base64 that is wrapped into lines", () => {
    const inner = Array.from({ length: 60 }, (_, n) => n.toString(36)).join("-");
    for (const columns of [64, 76]) {
      const text = Buffer.from(inner)
        .toString("base64")
        .replace(new RegExp(`.{${columns}}`, "g"), "$&\n");
      expect(blanked(text, inner).replaceAll(/\*\*\*|\n/g, "")).toBe("");
    }
  });

  test("line by line, where its lines are long enough to be known", () => {
    const key = "-----BEGIN-----\nfirst-line-of-it\nshort\n-----END-----";
    expect(blanked("a first-line-of-it b\nshort", key)).toBe("a *** b\nshort");
  });

  test("where a text was cut in the middle of it", () => {
    const inner = "0123456789abcdefghij";
    expect(blanked(`x ${inner.slice(0, 12)}`, inner)).toBe("x ***");
    expect(blanked(`${inner.slice(9)} y`, inner)).toBe("*** y");
    expect(blanked(`x ${inner.slice(0, 12)}\n[cut at 100 characters]`, inner)).toBe(
      "x ***\n[cut at 100 characters]",
    );
    // A few characters are anybody's.
    expect(blanked("x 0123", inner)).toBe("x 0123");
  });

  test("with others that it overlaps: nothing is left between them", () => {
    expect(blanked("..abcdefghij..", "abcdef", "defghij")).toBe("..***..");
    expect(blanked("aaaaaaaaaa", "aaaa")).toBe("***");
    expect(blanked("abcdef abc", "abc", "abcdef")).toBe("*** ***");
  });

  test("among thousands of others, as among few", () => {
    const many = Array.from({ length: 3_000 }, (_, n) => Bun.SHA256.hash(`secret ${n}`, "hex"));
    const blank = blanker(many.flatMap(formsOf));
    const text = `${many[0]} plain ${many[2_999]} ${Buffer.from(many[1_500] ?? "").toString("base64")}`;
    expect(blank(text)).toBe("*** plain *** ***");
    const long = "nothing to see here ".repeat(500_000);
    expect(blank(`${long}${many[7]}`)).toBe(`${long}***`);
  });
});

test("texts of one or two characters are not looked for, nor are short numbers", () => {
  expect(formsOf("ab")).toEqual([]);
  const data = { a: "xy", b: 12_345, c: 123_456, host: "db.example.com", deep: [{ token: "t-1" }] };
  expect(secretsOf({ name: "n", type: "t", data })).toEqual(["xy", "123456", "t-1"]);
});

test("a user and a password are found joined, as basic authentication has them", () => {
  const redaction = new Redaction();
  redaction.note({ name: "n", type: "basic", data: { username: "ada", password: "hunter2" } });
  const header = `Basic ${Buffer.from("ada:hunter2").toString("base64")}`;
  expect(redaction.text(`${header} ada`)).toBe("Basic *** ada");
});

test("a value without secrets is the value itself, and its shape stays", () => {
  const redaction = new Redaction();
  const value = { a: [1, { b: "s3cret" }], c: null };
  expect(redaction.value(value)).toBe(value);
  redaction.note({ name: "n", type: "t", data: { x: "s3cret" } });
  expect(redaction.value(value)).toEqual({ a: [1, { b: "***" }], c: null });
});
