// Proves that a worker compiles a text once, and that what it keeps has bounds.

import { expect, test } from "bun:test";
import { TemplateSyntaxError } from "#core/playbook/template";
import { templateCache } from "#worker/template-cache";

test("a text is compiled once, also as a condition", () => {
  const cache = templateCache();
  const compiled = cache.template("{{ a.b }}");

  expect(cache.template("{{ a.b }}")).toBe(compiled);
  expect(cache.expression("{{ a.b }}")).toBe(compiled);
  expect(cache.expression("a.b")).toBe(cache.expression("a.b"));
  expect(cache.expression("a.b")).not.toBe(compiled);
});

test("a bare text is an expression as a condition, and only there", () => {
  const cache = templateCache();
  const scope = { get: (name: string) => (name === "a" ? 1 : undefined) };

  expect(cache.template("a").template.evaluate(scope, { nowMs: 0 })).toBe("a");
  expect(cache.expression("a").template.evaluate(scope, { nowMs: 0 })).toBe(1);
});

test("the oldest texts make room, by their number and by their length", () => {
  const byNumber = templateCache({ entriesMax: 2 });
  const first = byNumber.template("{{ a }}");
  const second = byNumber.template("{{ b }}");
  byNumber.template("{{ c }}");
  expect(byNumber.template("{{ b }}")).toBe(second);
  expect(byNumber.template("{{ a }}")).not.toBe(first);

  const byLength = templateCache({ charsMax: 20 });
  const short = byLength.template("{{ a }}");
  byLength.template("{{ bbbbbbbbbb }}");
  expect(byLength.template("{{ a }}")).not.toBe(short);
  const long = byLength.template("{{ ccccccccccccccccccccccc }}");
  expect(byLength.template("{{ ccccccccccccccccccccccc }}")).not.toBe(long);
});

test("a text that is no template is an error each time, and kept for nobody", () => {
  const cache = templateCache();
  for (let n = 0; n < 2; n++) {
    expect(() => cache.template("{{ a + }}")).toThrow(TemplateSyntaxError);
  }
});

test("it tells which texts read a keychain", () => {
  const cache = templateCache();

  expect(cache.template("Bearer {{ keychain.api.token }}").keychain).toEqual(["api"]);
  expect(cache.template("{{ api.keychain }}").keychain).toEqual([]);
  expect(cache.template("{{ keychain[alias].token }}").keychain).toEqual([undefined]);
});
