// Where and how templates fail: the exact place in the text, the code, and the bounds.

import { describe, expect, test } from "bun:test";
import {
  compileTemplate,
  TemplateRuntimeError,
  TemplateSyntaxError,
} from "#core/playbook/template";

function syntaxError(text: string): TemplateSyntaxError {
  try {
    compileTemplate(text);
  } catch (error) {
    if (error instanceof TemplateSyntaxError) return error;
    throw error;
  }
  throw new Error(`expected a syntax error in ${text}`);
}

function runtimeError(
  text: string,
  names: Readonly<Record<string, unknown>>,
): TemplateRuntimeError {
  const template = compileTemplate(text);
  try {
    template.evaluate(new Map(Object.entries(names)), { nowMs: 0 });
  } catch (error) {
    if (error instanceof TemplateRuntimeError) return error;
    throw error;
  }
  throw new Error(`expected a runtime error in ${text}`);
}

describe("syntax errors point at their words", () => {
  // The mark ‸ stands where the error is expected; it is cut out before compiling.
  test.each([
    ["{{ a | ‸nofilter }}", "unknown filter 'nofilter'"],
    ["{{ a | ‸defualt(1) }}", "did you mean 'default'?"],
    ["{{ a is ‸defind }}", "did you mean 'defined'?"],
    ["{{ ‸rnage(3) }}", "did you mean 'range'?"],
    ["{{ a.‸uper() }}", "did you mean 'upper'?"],
    ["line one\n{{ a + ‸}}", "expected an expression, found '}}'"],
    ["{% if a %}x{% endif %} ‸{{ b", "expected '}}' to close '{{'"],
    ["{{ ‸'abc }}", "to close the string"],
    ["{{ a ‸$ b }}", "unexpected character '$'"],
    ["{{ a ‸b }}", "expected '}}', found 'b'"],
    ["{{ (1 ‸}}", "expected ')', found '}'"],
    ["{{ (1‸] }}", "expected ')', found ']'"],
    ["{{ 1‸) }}", "unexpected ')'"],
    ["‸{% if a %}x", "expected '{% endif %}' to close '{% if %}'"],
    ["{% ‸endif %}", "closes or continues nothing"],
    ["{% ‸include 'x' %}", "'include' is not supported"],
    ["{% ‸include 'x' %}", "'include' is not supported"],
    ["{% ‸fro x in y %}{% endfor %}", "unknown tag 'fro', did you mean 'for'?"],
    ["{% for ‸1 in y %}{% endfor %}", "expected a name to bind"],
    ["‸{% raw %}x %}", "expected '{% endraw %}'"],
    ["{{ '‸\\x4' }}", "hexadecimal digits"],
    ["{{ a | ‸replace('x') }}", "needs 'new'"],
    ["{{ a | join(1, 2, ‸3) }}", "takes at most 2 arguments"],
    ["{{ a | join(‸sep=1) }}", "has no argument 'sep'"],
    ["{{ [1] | ‸random }}", "the same result every time"],
    ["{{ a | map(‸'uper') }}", "did you mean 'upper'?"],
    ["{{ ‸1e999 }}", "expected a finite number"],
    ["{{ f(a=1, ‸2) }}", "positional arguments stand before named ones"],
    ["{{ f(‸*a) }}", "can't be spread"],
    ["{{ a is odd ‸is even }}", "expected one test"],
    ["😀 {{ a | ‸nofilter }}", "unknown filter"],
  ])("%s", (marked, message) => {
    const error = syntaxError(marked.replace("‸", ""));
    expect([error.message.includes(message), error.message]).toEqual([true, error.message]);
    expect(error.offset).toBe(marked.indexOf("‸"));
  });
});

describe("runtime errors name the operand and the place", () => {
  const names = { n: 1, s: "secret-value", d: {} };

  test.each([
    ["{{ d.x ‸+ 1 }}", "undefined_operand", "'d.x' is undefined"],
    ["{{ 1 ‸- d.x.y }}", "undefined_operand", "'d.x.y' is undefined"],
    ["{{ nope ‸< 1 }}", "undefined_operand", "'nope' is undefined"],
    ["{{ ‸-nope }}", "undefined_operand", "'nope' is undefined"],
    ["{{ nope.‸upper() }}", "undefined_operand", "'nope' is undefined"],
    ["{{ 1 ‸+ s }}", "type", "'+' can't take a number and a string"],
    ["{{ s ‸< n }}", "type", "a string can't be ordered with a number"],
    ["{{ n ‸/ 0 }}", "division_by_zero", "by zero"],
    ["{{ n ‸// 0 }}", "division_by_zero", "by zero"],
    ["{{ n ‸% 0 }}", "division_by_zero", "by zero"],
    ["{{ n | ‸length }}", "type", "has no length"],
    ["{{ s | ‸fromjson }}", "type", "not JSON"],
    ["{{ s | ‸b64decode }}", "type", "not base64"],
    ["{{ [1] | ‸batch(0) }}", "range", "at least 1"],
    ["{% for x in ‸n %}{% endfor %}", "type", "can't be iterated"],
    ["{% for ‸a, b in [[1]] %}{% endfor %}", "type", "2 names can't take 1 values"],
    ["{% set ‸d.x = 1 %}", "type", "is not a namespace()"],
  ])("%s", (marked, code, message) => {
    const error = runtimeError(marked.replace("‸", ""), names);
    expect([error.code, error.offset]).toEqual([code as typeof error.code, marked.indexOf("‸")]);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("secret-value");
  });

  test("a branch that is not taken does not fail", () => {
    const template = compileTemplate("{{ nope + 1 if nope is defined else 'skipped' }}");
    expect(template.evaluate(new Map(), { nowMs: 0 })).toBe("skipped");
    expect(compileTemplate("{{ false and 1 / 0 }}").evaluate(new Map(), { nowMs: 0 })).toBe(false);
  });

  test("a template works again after an error", () => {
    const template = compileTemplate("{% set x = 1 %}a{{ y + x }}");
    expect(() => template.evaluate(new Map(), { nowMs: 0 })).toThrow(TemplateRuntimeError);
    expect(template.evaluate(new Map([["y", 1]]), { nowMs: 0 })).toBe("a2");
  });
});

describe("bounds of the text", () => {
  const many = 20_000;

  test.each([
    ["parentheses", `{{ ${"(".repeat(many)}1${")".repeat(many)} }}`],
    ["lists", `{{ ${"[".repeat(many)}${"]".repeat(many)} }}`],
    ["nots", `{{ ${"not ".repeat(many)}1 }}`],
    ["signs", `{{ ${"-".repeat(many)}1 }}`],
    ["attributes", `{{ a${".b".repeat(many)} }}`],
    ["dynamic subscripts", `{{ a${"[b]".repeat(many)} }}`],
    ["filters", `{{ a${"|upper".repeat(many)} }}`],
    ["conditionals", `{{ 1${" if 0 else 1".repeat(many)} }}`],
    ["ifs", `${"{% if 1 %}".repeat(many)}${"{% endif %}".repeat(many)}`],
  ])("too many nested %s are a syntax error", (_, text) => {
    expect(syntaxError(text).message).toContain("nested deeper than 200 levels");
  });

  test.each([
    ["sums", `{{ 1${" + 1".repeat(many)} }}`, many + 1],
    ["ands", `{{ 1${" and 1".repeat(many)} }}`, 1],
    ["comparisons", `{{ 1${" <= 1".repeat(many)} }}`, true],
    ["texts", `{{ 'a'${" ~ 'a'".repeat(many)} }}`, "a".repeat(many + 1)],
    ["elifs", `{% if 0 %}${"{% elif 0 %}".repeat(many)}{% endif %}.`, "."],
    ["sets", `${"{% set x = 1 %}".repeat(many)}{{ x }}`, "1"],
  ])("long chains of %s are fine", (_, text, expected) => {
    expect(compileTemplate(text).evaluate(new Map(), { nowMs: 0 })).toBe(expected);
  });

  test("a text over the bound is refused", () => {
    expect(syntaxError(`{{ 1 }}${" ".repeat(1_048_576)}`).offset).toBe(1_048_576);
  });

  test("an integer literal of a million digits is refused", () => {
    expect(syntaxError(`{{ ${"1".repeat(1_000_000)} }}`).message).toContain("longer than 1000");
  });
});

/** A value that is made anew from itself, sixty times. */
function growing(start: string, next: string): string {
  const round = `{% set ns.x = ${next} %}`;
  return `{% set ns = namespace(x=${start}) %}{% for i in range(60) %}${round}{% endfor %}`;
}

describe("bounds of an evaluation", () => {
  let deepList: readonly unknown[] = [];
  for (let level = 0; level < 10_000; level++) deepList = [deepList];
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const names = { deepList, circular, big: "x".repeat(9_000_000), s: "a" };

  test.each([
    "{{ range(2000000) }}",
    "{% for a in range(2000) %}{% for b in range(2000) %}{% endfor %}{% endfor %}",
    "{% for i in range(500000) %}{% set y = big | upper %}{% endfor %}",
    "{% for i in range(500000) %}{% set y = 'zz' in big %}{% endfor %}",
    "{% for i in range(500000) %}{% set y = big[5] %}{% endfor %}",
    "{{ 'x' * 99999999999 }}",
    "{{ [0] * 99999999999 }}",
    "{{ 2 ** 99999999 }}",
    "{{ (2 ** 4000) * (2 ** 4000) }}",
    "{{ s | center(999999999) }}",
    "{{ s | indent(999999999, true) }}",
    "{{ s.zfill(999999999) }}",
    "{{ s | replace('', big ~ big) }}",
    "{{ big | replace('x', 'yyyy') }}",
    "{{ big ~ big }}",
    "{{ big }}{{ big }}",
    "{{ [big, big] | join }}",
    "{{ '%s%s' % (big, big) }}",
    "{{ '{0}{0}'.format(big) }}",
    "{{ big | urlencode ~ big }}",
    "{{ ('<' * 9000000) | escape }}",
    "{{ [1] | batch(99999999, 1) }}",
    `${growing("[1]", "[ns.x, ns.x]")}{{ ns.x }}.`,
    growing("'ab'", "ns.x ~ ns.x"),
    "{{ deepList | tojson }}",
    "a{{ deepList }}",
    "{{ deepList == [deepList] }}",
    "{{ circular | tojson }}",
    "a{{ circular }}",
    "{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns.me | tojson }}",
  ])("%s stops at a limit", (text) => {
    expect(runtimeError(text, names).code).toBe("limit");
  });

  const bodies = [
    ["statements", "{% if 0 %}{% endif %}".repeat(10_000)],
    ["sets", "{% set x = s %}".repeat(10_000)],
    ["terms", `{% set x = ${Array.from({ length: 50_000 }, () => "s").join(" or ")} %}`],
  ] as const;

  test.each(bodies)("a loop over many %s, none of which costs a step, stops soon", (_, body) => {
    const text = `{% for i in range(500000) %}${body}{% endfor %}`;
    expect(runtimeError(text, { s: "" }).code).toBe("limit");
  });

  test.each(bodies)("a macro of many %s, none of which costs a step, stops soon", (_, body) => {
    const calls = "{% for i in range(400000) %}{{ m() }}{% endfor %}";
    const text = `{% macro m() %}${body}{% endmacro %}${calls}`;
    expect(runtimeError(text, { s: "" }).code).toBe("limit");
  });

  test("deep data passes through untouched", () => {
    const template = compileTemplate("{{ deepList }}");
    expect(template.evaluate(new Map([["deepList", deepList]]), { nowMs: 0 })).toBe(deepList);
  });
});
