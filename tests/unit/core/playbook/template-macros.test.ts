// Macros, call blocks and recursive loops: where their errors stand, what they read, and that
// nothing they call can go on without end. What they print is held against Jinja2 elsewhere.

import { describe, expect, test } from "bun:test";
import {
  compileTemplate,
  type ReadPath,
  TemplateRuntimeError,
  TemplateSyntaxError,
} from "#core/playbook/template";

const environment = { nowMs: 0 };

function evaluate(text: string, names: Readonly<Record<string, unknown>> = {}): unknown {
  return compileTemplate(text).evaluate(new Map(Object.entries(names)), environment);
}

function reads(text: string): readonly string[] {
  return compileTemplate(text).reads.map(({ root, path }: ReadPath) => [root, ...path].join("."));
}

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
  names: Readonly<Record<string, unknown>> = {},
): TemplateRuntimeError {
  const template = compileTemplate(text);
  try {
    template.evaluate(new Map(Object.entries(names)), environment);
  } catch (error) {
    if (error instanceof TemplateRuntimeError) return error;
    throw error;
  }
  throw new Error(`expected a runtime error in ${text.slice(0, 200)}`);
}

describe("what is certainly wrong is found before anything runs, at its words", () => {
  // The mark ‸ stands where the error is expected; it is cut out before compiling.
  test.each([
    ["{% macro m(a) %}{% endmacro %}{{ m(1, ‸2) }}", "macro 'm' takes at most 1 argument"],
    ["{% macro m(kind) %}{% endmacro %}{{ m(‸knd=2) }}", "no argument 'knd', did you mean 'kind'?"],
    ["{% macro m(a) %}{% endmacro %}{{ m(1, ‸a=2) }}", "'a' of macro 'm' is given twice"],
    ["{% macro m() %}{% endmacro %}{% call ‸m() %}{% endcall %}", "does not use caller()"],
    [
      "{% macro m() %}{{ caller() }}{% endmacro %}{% call ‸m(caller=1) %}{% endcall %}",
      "the block is it",
    ],
    ["{{ ‸m() }}{% macro m() %}{% endmacro %}", "'m' is not defined here"],
    ["{% macro column() %}{% endmacro %}{{ ‸colum() }}", "did you mean 'column'?"],
    ["{% macro a() %}{{ ‸bb() }}{% endmacro %}", "unknown function 'bb'"],
    ["{% macro m(a, ‸a) %}{% endmacro %}", "parameter 'a' is named twice"],
    ["{% macro m(a=1, ‸b) %}{% endmacro %}", "parameter 'b' needs a default"],
    ["{% macro ‸() %}{% endmacro %}", "expected the name of the macro"],
    ["{% macro m ‸%}{% endmacro %}", "expected '('"],
    ["{% call ‸n %}{% endcall %}", "expected the call of a macro"],
    ["{% call ‸m() %}{% endcall %}", "unknown function 'm'"],
    ["‸{% macro m() %}", "expected '{% endmacro %}' to close '{% macro %}'"],
    ["{% ‸endcall %}", "closes or continues nothing"],
    ["{% ‸marco m() %}{% endmacro %}", "did you mean 'macro'?"],
    ["{{ ‸caller() }}", "unknown function 'caller'"],
  ])("%s", (marked, message) => {
    const error = syntaxError(marked.replace("‸", ""));
    expect([error.message.includes(message), error.message]).toEqual([true, error.message]);
    expect(error.offset).toBe(marked.indexOf("‸"));
  });

  test("a macro that takes further arguments by name or place is not refused any", () => {
    expect(evaluate("{% macro m() %}{{ varargs | length }}{% endmacro %}{{ m(1, 2) }}.")).toBe(
      "2.",
    );
    expect(evaluate("{% macro m() %}{{ kwargs.z }}{% endmacro %}{{ m(z=3) }}.")).toBe("3.");
  });
});

describe("what is only seen while it runs", () => {
  test.each([
    ["{% if no %}{% macro m() %}{% endmacro %}{% endif %}{{ ‸m() }}", "undefined_operand"],
    ["{% set m = 5 %}{{ ‸m() }}", "type"],
    ["{% set f = 1 %}{% macro m(a) %}{% endmacro %}{% set f = m %}{{ ‸f(1, 2) }}", "type"],
    ["{% macro m() %}{{ ‸caller() }}{% endmacro %}{{ m() }}", "undefined_operand"],
    ["{% macro m(x) %}{{ x ‸+ 1 }}{% endmacro %}{{ m() }}", "undefined_operand"],
    ["{% for x in [1] %}{{ ‸loop(x) }}{% endfor %}", "type"],
    ["{% for x in [[1]] recursive %}{{ ‸loop() }}{% endfor %}", "type"],
    ["{% set j = joiner() %}{{ ‸j(1) }}", "type"],
    ["{{ n.‸next() }}", "type"],
    ["{{ ‸token('api') }}", "undefined_operand"],
  ])("%s", (marked, code) => {
    const error = runtimeError(marked.replace("‸", ""), { n: "secret-value" });
    expect([error.code, error.offset]).toEqual([code as typeof error.code, marked.indexOf("‸")]);
    expect(error.message).not.toContain("secret-value");
  });
});

describe("what a template with macros reads", () => {
  test.each([
    ["{% macro m(a) %}{{ a.b }}{{ c.d }}{% endmacro %}{{ m(e.f) }}", ["e.f", "c.d"]],
    ["{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}", []],
    ["{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}", ["x"]],
    ["{% macro m() %}{{ caller() }}{{ varargs }}{% endmacro %}{{ m }}", []],
    ["{% macro m() %}{{ m2() }}{% endmacro %}{% macro m2() %}{{ y }}{% endmacro %}", ["y"]],
    [
      "{% macro m() %}{{ caller(1) }}{% endmacro %}{% call(i) m() %}{{ i }}{{ z }}{% endcall %}",
      ["z"],
    ],
    ["{% for x in t recursive %}{{ loop(x.c) }}{{ u }}{% endfor %}", ["t", "u"]],
    ["{{ token('api') }}{{ token }}", ["token().api", "token"]],
    ["{{ token(workload.alias) }}", ["token()", "workload.alias"]],
    ["{% macro token(x) %}{{ x }}{% endmacro %}{{ token('api') }}", []],
  ])("%s", (text, expected) => {
    expect(reads(text)).toEqual(expected);
  });
});

describe("every call of a macro has names of its own", () => {
  test("a block keeps those of the call that it was written in", () => {
    const text = [
      "{% macro wrap() %}<{{ caller() }}>{% endmacro %}",
      "{% macro tree(n) %}{% for i in range(n) %}{% call wrap() %}{{ n }}{{ tree(n - 1) }}",
      "{{ i }}{% endcall %}{% endfor %}{% endmacro %}{{ tree(2) }}",
    ].join("");
    expect(evaluate(text)).toBe("<2<10>0><2<10>1>");
  });

  test("nothing is left behind for the next evaluation, nor by one that failed", () => {
    const template = compileTemplate(
      "{% macro m(d) %}{% set y = d %}{{ m(d - 1) if d > 0 else z + 1 }}{{ y }}{% endmacro %}{{ m(2) }}",
    );
    expect(template.evaluate(new Map([["z", 1]]), environment)).toBe("2012");
    expect(() => template.evaluate(new Map(), environment)).toThrow(TemplateRuntimeError);
    expect(template.evaluate(new Map([["z", 1]]), environment)).toBe("2012");
  });

  test("evaluations that failed inside a call take nothing from those after them", () => {
    const template = compileTemplate(
      "{% macro m(d) %}{{ z + d }}{% endmacro %}{% if c %}{% set q = 1 %}{% endif %}{{ q }}{{ m(5) }}",
    );
    for (let round = 0; round < 300; round++) {
      expect(() => template.evaluate(new Map(), environment)).toThrow("'z' is undefined");
    }
    const scope = new Map<string, unknown>(Object.entries({ z: 1, q: "Q" }));
    expect(template.evaluate(scope, environment)).toBe("Q6");
  });

  test("a joiner and a cycler start anew with each evaluation", () => {
    const template = compileTemplate(
      "{% set j = joiner() %}{% set c = cycler(1, 2) %}{{ j() }}{{ c.next() }}{{ j() }}{{ c.next() }}",
    );
    expect(template.evaluate(new Map(), environment)).toBe("1, 2");
    expect(template.evaluate(new Map(), environment)).toBe("1, 2");
  });

  test("a view given to a macro still has its attributes", () => {
    const text = "{% macro m(x) %}{{ x.rows[0].id }}{% endmacro %}{{ m(fetch) }}";
    expect(evaluate(text, { fetch: { rows: [{ id: 7 }] } })).toBe("7");
  });
});

/** A template of a macro `m`, and what comes after it. */
function withMacro(parameters: string, body: string, after: string): string {
  return `{% macro m(${parameters}) %}${body}{% endmacro %}${after}`;
}

/** A macro that calls itself inside so many levels of the given nesting. */
function nestedCall(levels: number, open: string, close: string): string {
  const call = `${open.repeat(levels)}m(n + 1)${close.repeat(levels)}`;
  return `{% macro m(n) %}{{ ${call} }}{% endmacro %}{{ m(0) }}`;
}

describe("bounds of calls", () => {
  const ifs = (count: number): readonly [string, string] => [
    "{% if 1 %}".repeat(count),
    "{% endif %}".repeat(count),
  ];
  const fors = (count: number): readonly [string, string] => [
    "{% for i in [1] %}".repeat(count),
    "{% endfor %}".repeat(count),
  ];

  test.each([
    ["itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"],
    [
      "another that calls it",
      "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    ],
    ["itself twice", "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}"],
    ["itself in its default", "{% macro m(a=m()) %}{{ a }}{% endmacro %}{{ m() }}"],
    [
      "its own block",
      "{% macro m() %}{% call m() %}{{ caller }}{% endcall %}{{ caller }}{% endmacro %}{{ m() }}",
    ],
    ["itself deep in lists", nestedCall(190, "[", "]")],
    ["itself deep in parentheses", nestedCall(190, "(0 + ", ")")],
    ["itself deep in filters", nestedCall(95, "(n | default(", "))")],
    ["itself deep in conditions", nestedCall(95, "(1 if 0 else ", ")")],
    ["itself deep in ifs", `{% macro m() %}${ifs(190).join("{{ m() }}")}{% endmacro %}{{ m() }}`],
    [
      "itself deep in loops",
      `{% macro m() %}${fors(190).join("{{ m() }}")}{% endmacro %}{{ m() }}`,
    ],
    ["a loop without end", "{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}"],
  ])("a macro that calls %s stops at a limit", (_, text) => {
    const error = runtimeError(text);
    expect([error.code, error.message]).toEqual([
      "limit",
      "calls are nested deeper than 200 levels",
    ]);
  });

  test("calls 190 deep are fine, and so are 20,000 one after the other", () => {
    const down =
      "{% macro m(n) %}{% if n > 0 %}{{ m(n - 1) }}{% endif %}.{% endmacro %}{{ m(190) }}";
    expect(evaluate(down)).toBe(".".repeat(191));
    expect(runtimeError(down.replace("m(190)", "m(210)")).code).toBe("limit");
    const along = "{% macro m() %}.{% endmacro %}{% for i in range(20000) %}{{ m() }}{% endfor %}";
    expect(evaluate(along)).toBe(".".repeat(20_000));
  });

  test("20,000 calls inside each other are a syntax error", () => {
    const nested = `${"m(".repeat(20_000)}1${")".repeat(20_000)}`;
    const text = withMacro("a", "{{ a }}", `{{ ${nested} }}`);
    expect(syntaxError(text).message).toContain("nested deeper than 200 levels");
  });

  const names = Array.from({ length: 5_000 }, (_, index) => `v${index}`);
  const manyNames = names.map((name) => `{% set ${name} = 1 %}`).join("");

  test.each([
    [
      "calls that double",
      "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    ],
    [
      "texts that double",
      withMacro(
        "n",
        "{% if n %}{% set t = m(n - 1) %}{{ t }}{{ t }}{% else %}ab{% endif %}",
        "{{ m(60) }}",
      ),
    ],
    [
      "frames of many names",
      withMacro("", manyNames, "{% for i in range(500000) %}{{ m() }}{% endfor %}"),
    ],
    [
      "many arguments",
      withMacro(
        "",
        "{{ varargs | length }}",
        `{% for i in range(100000) %}{{ m(${"1,".repeat(1_000)}) }}{% endfor %}`,
      ),
    ],
  ])("%s stop at a limit", (_, text) => {
    expect(runtimeError(text).code).toBe("limit");
  });

  test("10,000 macros, each defined among as many names, see the names around them", () => {
    const part = (i: number): string =>
      `{% set v${i} = 1 %}{% macro m${i}() %}{{ v0 }}{% endmacro %}`;
    const text = Array.from({ length: 10_000 }, (_, i) => part(i)).join("");
    expect(evaluate(`${text}{{ m9999() }}`)).toBe("1");
  });

  test("data that looks like a call or a macro stays data", () => {
    const names = { evil: "{% macro m() %}x{% endmacro %}{{ m() }}", token: "{{ token('a') }}" };
    expect(
      evaluate("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(evil) }}{{ m(token) }}", names),
    ).toBe(names.evil + names.token);
  });
});
