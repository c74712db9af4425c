// The template language through its public module: what values come out, and what is read.

import { describe, expect, test } from "bun:test";
import {
  compileExpression,
  compileTemplate,
  isTemplate,
  isTruthy,
  type ReadPath,
  View,
} from "#core/playbook/template";

const environment = { nowMs: Date.UTC(2026, 0, 31, 8, 5, 9, 7) };

function evaluate(text: string, names: Readonly<Record<string, unknown>> = {}): unknown {
  return compileTemplate(text).evaluate(new Map(Object.entries(names)), environment);
}

function reads(text: string): readonly string[] {
  return compileTemplate(text).reads.map(({ root, path }: ReadPath) => [root, ...path].join("."));
}

describe("what is a template", () => {
  test("a text needs an opening mark and its closing mark after it", () => {
    expect(isTemplate("{{ a }}")).toBe(true);
    expect(isTemplate("{% if a %}x{% endif %}")).toBe(true);
    expect(isTemplate("}} {{")).toBe(false);
    expect(isTemplate("{{ a %}")).toBe(false);
    expect(isTemplate("echo ${#a[@]} {# x #}")).toBe(false);
  });

  test("a text without tags stands for itself to the last newline", () => {
    const template = compileTemplate("select 1;\n");
    expect(template.evaluate(new Map(), environment)).toBe("select 1;\n");
    expect(template.constant).toBe(true);
  });

  test("a shell array length beside tags is text", () => {
    expect(evaluate("n=${#a[@]} {{ x }} # #}", { x: 1 })).toBe("n=${#a[@]} 1 # #}");
  });

  test("a raw block prints braces, and only raw does", () => {
    expect(evaluate("{% raw %}{{ x }}{% endraw %}{{ x }}", { x: 1 })).toBe("{{ x }}1");
  });
});

describe("a lone expression keeps its type", () => {
  test.each([
    ["{{ 1 + 1 }}", 2],
    ["  {{ 'a' }}\n", "a"],
    ["{{ true }}", true],
    ["{{ none }}", null],
    ["{{ missing }}", undefined],
    ["{{ missing.a.b[0].c }}", undefined],
    ["{{ [1, 'a', none] }}", [1, "a", null]],
    ["{{ {'a': {'b': 1}} }}", { a: { b: 1 } }],
    ["{{ x | tojson }}", '{"k":[1,2]}'],
    ["{{ '478775660589088776' | int }}", "478775660589088776"],
    ["{{ [9007199254740993] }}", ["9007199254740993"]],
    ["{{- 1 -}}", 1],
    ["{{ 1, 2 }}", [1, 2]],
  ])("%s", (text, expected) => {
    expect(evaluate(text, { x: { k: [1, 2] } })).toEqual(expected);
  });

  test("an object comes out as the same object, not a copy", () => {
    const rows = [{ id: 1 }];
    expect(evaluate("{{ rows }}", { rows })).toBe(rows);
    expect(evaluate("{{ rows[0] }}", { rows })).toBe(rows[0]);
  });

  test("a list literal is a new list each time", () => {
    const template = compileTemplate("{{ [1, 2] }}");
    const first = template.evaluate(new Map(), environment);
    expect(template.evaluate(new Map(), environment)).not.toBe(first);
  });

  test("text or a second tag around it makes it text", () => {
    expect(evaluate("n={{ n }}", { n: 1 })).toBe("n=1");
    expect(evaluate("{{ n }}{{ n }}", { n: 1 })).toBe("11");
    expect(evaluate("{% if true %}{{ n }}{% endif %}", { n: 1 })).toBe("1");
  });

  test("a text that came from data is never parsed", () => {
    expect(evaluate("{{ x }}", { x: "{{ y }}", y: 1 })).toBe("{{ y }}");
  });
});

describe("conditions", () => {
  test("a text without braces is one expression", () => {
    const condition = compileExpression("output.status == 'error' and n in [1, 2]");
    const scope = new Map<string, unknown>([
      ["output", { status: "error" }],
      ["n", 2],
    ]);
    expect(condition.evaluate(scope, environment)).toBe(true);
  });

  test("a text with braces is a template", () => {
    expect(compileExpression("{{ 1 < 2 }}").evaluate(new Map(), environment)).toBe(true);
  });

  test.each([
    [undefined, null, false, 0, "", [], {}, "false", " False ", "0", "no", "None", "NULL", "off"],
  ])("values that are not truthy", (...values) => {
    for (const value of values) expect([value, isTruthy(value)]).toEqual([value, false]);
  });

  test.each([[true, 1, -1, "true", "yes", "undefined", "a", [0], { a: 0 }]])(
    "values that are truthy",
    (...values) => {
      for (const value of values) expect([value, isTruthy(value)]).toEqual([value, true]);
    },
  );
});

describe("views", () => {
  const step = new View({ rows: [1, 2], data: "own" }, (name) =>
    name === "data" ? { rows: [1, 2] } : name === "rows" ? [1, 2] : undefined,
  );

  test("attributes and string subscripts ask the view alone", () => {
    expect(evaluate("{{ step.data.rows[1] }}", { step })).toBe(2);
    expect(evaluate("{{ step['rows'] }}", { step })).toEqual([1, 2]);
    expect(evaluate("{{ step.other }}", { step })).toBeUndefined();
  });

  test("everywhere else it stands for its value", () => {
    const list = new View([1, 2], () => "attribute");
    const names = { list, step };
    expect(evaluate("{{ list }}", names)).toEqual([1, 2]);
    expect(evaluate("{{ list[0] }}", names)).toBe(1);
    expect(evaluate("{{ list | length }}", names)).toBe(2);
    expect(evaluate("{{ list | tojson }}", names)).toBe("[1,2]");
    expect(evaluate("{{ list == [1, 2] }}", names)).toBe(true);
    expect(evaluate("{{ 1 in list }}", names)).toBe(true);
    expect(evaluate("{% for x in list %}{{ x }};{% endfor %}", names)).toBe("1;2;");
    expect(evaluate("a{{ list }}", names)).toBe("a[1, 2]");
    expect(evaluate("{{ [list] }}", names)).toEqual([[1, 2]]);
    expect(evaluate("{{ 'y' if empty else 'n' }}", { empty: new View([], () => 1) })).toBe("n");
  });

  test("an attribute may evaluate the same template again", () => {
    const template = compileTemplate("{% set x = v.a %}{{ x }}{{ n }}");
    const inner = new Map<string, unknown>([
      ["v", { a: 1 }],
      ["n", 2],
    ]);
    const v = new View(null, () => template.evaluate(inner, environment));
    const outer = new Map<string, unknown>([
      ["v", v],
      ["n", 3],
    ]);
    expect(template.evaluate(outer, environment)).toBe("123");
  });
});

describe("reads", () => {
  test.each([
    ["{{ a.b['c'][0].d }}", ["a.b.c.0.d"]],
    ["{{ a[-1].b }}", ["a.-1.b"]],
    ["{{ a.b[k].c }}", ["a.b", "k"]],
    ["{{ a.b }}{{ a.b }}{{ a.c }}", ["a.b", "a.c"]],
    ["{{ a.items() }}", ["a"]],
    ["{{ a.b | default(c) }}", ["a.b", "c"]],
    ["{% for x in rows %}{{ x.id }}{{ loop.index }}{{ y }}{% endfor %}{{ x }}", ["rows", "y", "x"]],
    ["{% set x = a %}{{ x.b }}", ["a"]],
    ["{% if c %}{% set x = 1 %}{% endif %}{{ x }}", ["c", "x"]],
    ["{% with x = a %}{{ x }}{% endwith %}{{ x }}", ["a", "x"]],
    ["{% for i in [1] %}{% set s = i %}{% endfor %}{{ s }}", ["s"]],
    ["{{ range(n) }}{{ now() }}", ["n"]],
    ["{{ range }}", ["range"]],
    ["{% set ns = namespace(a=b) %}{% set ns.c = d %}{{ ns.c }}", ["b", "d"]],
  ])("of %s", (text, expected) => {
    expect(reads(text)).toEqual(expected);
  });

  test("a template without reads and clock is constant", () => {
    expect(compileTemplate("{{ 1 + 2 }}").constant).toBe(true);
    expect(compileTemplate("{{ now() }}").constant).toBe(false);
    expect(compileTemplate("{{ a }}").constant).toBe(false);
  });
});

test("one evaluation leaves nothing behind for the next", () => {
  const template = compileTemplate("{% if c %}{% set x = 1 %}{% endif %}{{ x }}");
  const scope = (c: boolean): ReadonlyMap<string, unknown> =>
    new Map<string, unknown>([
      ["c", c],
      ["x", "from the scope"],
    ]);
  expect(template.evaluate(scope(true), environment)).toBe("1");
  expect(template.evaluate(scope(false), environment)).toBe("from the scope");
});

describe("the environment", () => {
  test("now() is the given instant, as RFC 3339 in UTC", () => {
    expect(evaluate("{{ now() }}")).toBe("2026-01-31T08:05:09.007Z");
  });

  test.each([0, -1, 951_782_400_000, 4_107_542_399_999, -62_135_596_800_000])(
    "now() agrees with the calendar at %d",
    (nowMs) => {
      const text = compileTemplate("{{ now() }}").evaluate(new Map(), { nowMs });
      expect(text).toBe(new Date(nowMs).toISOString());
    },
  );
});

describe("data stays data", () => {
  const evil: unknown = JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}');
  const names = { evil, o: {}, list: [1], text: "t", host: () => "called", day: new Date(0) };

  test.each([
    "o.__proto__",
    "o.constructor",
    "o['__proto__']",
    "o.toString",
    "o | attr('constructor')",
    "o | get('__proto__')",
    "o['to' ~ 'String']",
    "list.length",
    "list.constructor",
    "list['push']",
    "text.length",
    "text.constructor.constructor",
    "host.call",
    "host.name",
    "day.getTime",
    "constructor",
    "__proto__",
    "{'__proto__': {'a': 1}}.a",
  ])("%s is undefined", (expression) => {
    expect(evaluate(`{{ ${expression} }}`, names)).toBeUndefined();
  });

  test("own keys with such names are plain data", () => {
    expect(evaluate("{{ evil.__proto__.x }}{{ evil.constructor }}", names)).toBe("1c");
    expect(evaluate("{{ evil | tojson }}", names)).toBe('{"__proto__":{"x":1},"constructor":"c"}');
    expect(evaluate("{{ dict(__proto__=5).__proto__ }}", names)).toBe(5);
  });

  test.each(["host()", "o.valueOf()", "text.constructor('x')", "list.map(host)", "(host)()"])(
    "%s does not compile",
    (expression) => {
      expect(() => compileTemplate(`{{ ${expression} }}`)).toThrow();
    },
  );
});
