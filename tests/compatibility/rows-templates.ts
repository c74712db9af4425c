// Rows of the template language (language reference §3.1): filters, tests, functions, statements.

import type { Json, JsonObject } from "#core/model/json";
import {
  type Claim,
  different,
  gives,
  more,
  type Row,
  refusal,
  refused,
  renders,
  rowsIn,
  same,
  shown,
  tool,
} from "./row.ts";

const scope: JsonObject = { n: "7", list: [3, 1, 2], text: " Ab ", map: { a: 1, b: 2 }, it: null };

/** `{{ expression }}` over the scope above. */
const filter = (name: string, expression: string, value: Json, says: string): Claim =>
  same([name], says, renders(`{{ ${expression} }}`, value, scope));
const is = (name: string, expression: string): Claim =>
  same([`is ${name}`], "a test", renders(`{{ ${expression} }}`, true, scope));

export const rows: readonly Row[] = [
  ...rowsIn("template", "§3.1", [
    same(
      ["Jinja2", "minijinja"],
      "the language of Jinja2 3.1, with undefined names that chain; a differential suite holds the two together",
      shown(
        "unit/core/playbook/template-docs.test.ts",
        "the section on Jinja2 has each difference and its reason",
      ),
    ),
    same(
      ["Chainable undefined"],
      "a missing name or attribute is undefined at any depth and prints as nothing",
      renders("[{{ a.b.c }}]", "[]"),
    ),
    same(
      ["a string is a template"],
      "if it has `{{` … `}}` or `{%` … `%}`",
      shown(
        "unit/core/playbook/template.test.ts",
        "a text needs an opening mark and its closing mark after it",
      ),
    ),
    same(
      ["when without braces"],
      "is one expression",
      shown("unit/core/playbook/template.test.ts", "a text without braces is one expression"),
    ),
    different(["templates in map keys"], {
      says: "are not rendered: a key is itself",
      why:
        "one implementation renders them on the server and not on the worker; what a key is should " +
        "be seen in the text",
      proof: gives(tool('kind: noop, result: {"{{ 1 + 1 }}": 2}'), { "{{ 1 + 1 }}": 2 }),
    }),
    filter("int", "n | int", 7, "a whole number; what is none gives the default, 0"),
    filter("float", "'1.5' | float", 1.5, "a number"),
    filter("default", "it | default('d')", "d", "stands in for undefined and for null"),
    filter("d", "missing | d(5)", 5, "the same as `default`"),
    filter("tojson", "map | tojson", '{"a":1,"b":2}', "compact JSON, as text"),
    filter("fromjson", "'[1]' | fromjson", [1], "the value of a JSON text"),
    filter("replace", "'aba' | replace('a', 'c')", "cbc", "every occurrence"),
    filter("length", "list | length", 3, "of lists, maps and texts"),
    filter("len", "list | len", 3, "the same as `length`"),
    filter("lower", "'AB' | lower", "ab", "lower case"),
    filter("upper", "'ab' | upper", "AB", "upper case"),
    filter("trim", "text | trim", "Ab", "without white space at both ends"),
    filter("string", "7 | string", "7", "the text of a value"),
    filter("first", "list | first", 3, "the first item"),
    filter("last", "list | last", 2, "the last item"),
    filter("split", "'a,b' | split(',')", ["a", "b"], "the parts of a text"),
    filter("join", "list | join('-')", "3-1-2", "one text of the items"),
    filter("keys", "map | keys", ["a", "b"], "the keys of a map, in order"),
    filter("values", "map | values", [1, 2], "the values of a map, in order"),
    filter(
      "items",
      "map | items",
      [
        ["a", 1],
        ["b", 2],
      ],
      "pairs of key and value",
    ),
    filter("get", "map | get('a')", 1, "the value under a key"),
    filter("safe", "text | safe", " Ab ", "changes nothing: no markup is escaped"),
    filter("b64encode", "'ab' | b64encode", "YWI=", "base64 of the UTF-8 of a text"),
    filter("b64decode", "'YWI=' | b64decode", "ab", "the text of base64"),
    different(["length of undefined"], {
      says: "is 0, as for an empty list",
      why: "one of the engines gives 0 and the other fails; playbooks count what may be missing",
      proof: renders("{{ missing | length }}", 0),
    }),
    more(
      ["built-in filters of Jinja2"],
      "all but those that print for people or HTML, and dates, which Jinja2 has none for",
      renders("{{ list | sort | map('string') | join(',') }}", "1,2,3", scope),
    ),
    refused("encrypt_secret", {
      says: "a filter of one implementation",
      use: "`auth` or `keychain`: secrets never leave a worker",
      proof: refusal(
        tool("kind: noop, result: \"{{ 'a' | encrypt_secret }}\""),
        "filter 'encrypt_secret' is not supported",
      ),
    }),
    is("defined", "n is defined"),
    is("undefined", "missing is undefined"),
    is("none", "it is none"),
    is("string", "n is string"),
    is("number", "7 is number"),
    is("sequence", "list is sequence"),
    is("mapping", "map is mapping"),
    different(["token()"], {
      says: "the bearer token of a credential, in fields of tools alone",
      why: "elsewhere the secret would reach the log",
      proof: refusal(
        "- step: start\n  tool: {kind: noop}\n  set: {t: \"{{ token('a') }}\"}\n",
        "token",
      ),
    }),
    more(
      ["now()"],
      "the time of the event being decided, the same at each replay; used by playbooks, defined by no implementation",
      shown(
        "unit/core/playbook/template.test.ts",
        "now() is the given instant, as RFC 3339 in UTC",
      ),
    ),
    same(
      ["methods"],
      "of texts, maps and lists, by call",
      renders("{{ text.strip().lower() }}", "ab", scope),
    ),
    same(
      ["inline if"],
      "with and without else",
      renders("{{ 'y' if n == '7' else 'n' }}", "y", scope),
    ),
    same(
      ["{% if %}"],
      "with elif and else",
      renders("{% if it %}a{% elif n %}b{% else %}c{% endif %}", "b", scope),
    ),
    same(
      ["{% for %}"],
      "with else, `loop` and unpacking",
      renders("{% for x in list %}{{ loop.index }}{{ x }} {% endfor %}", "13 21 32 ", scope),
    ),
    same(
      ["{% macro %}", "recursive loops"],
      "macros of the template itself, `call`, and loops that call themselves",
      renders(
        "{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f(1) }}" +
          "{% for x in [1] recursive %}{{ loop.depth }}{% endfor %}",
        "<1>1",
      ),
    ),
    refused(["{% include %}", "{% import %}", "{% extends %}"], {
      says: "a playbook's template stands alone",
      use: "a macro in the same text, or a step that makes the value",
      proof: refusal(tool("kind: noop, result: \"{% include 'a' %}\""), "include"),
    }),
    more(
      ["dates"],
      "`strftime`, `date_add`, `date_diff`, `date_trunc`, `timestamp` and `datetime`, which Jinja2 has none of",
      renders("{{ '2026-01-31' | date_add(months=1) | strftime('%d.%m.%Y') }}", "28.02.2026"),
    ),
    same(
      ["comparisons"],
      "`== != < <= > >=`, also in chains",
      renders("{{ 1 < 2 <= 2 and 'a' != 'b' }}", true),
    ),
    same(
      ["and", "or", "not"],
      "as in Python",
      renders("{{ (missing or n) and not it }}", true, scope),
    ),
    same(
      ["+"],
      "numbers, texts and lists",
      renders("{{ [1 + 1, 'a' + 'b', [1] + [2]] }}", [2, "ab", [1, 2]]),
    ),
    same(
      ["list literals", "dict literals"],
      "of any values",
      renders("{{ {'a': [1, {'b': 2}]} }}", { a: [1, { b: 2 }] }),
    ),
    same(
      ["in"],
      "in lists, maps and texts",
      renders("{{ 3 in list and 'a' in map and 'b' in text }}", true, scope),
    ),
    same(
      ["a text that is no valid template"],
      "is refused at registration, with its line and column",
      refusal(tool('kind: noop, result: "{{ a ` b }}"'), "`"),
    ),
    different(["one engine"], {
      says: "the same filters and rules in arcs, in tools and on workers",
      why: "the existing product has two engines with different filters and type rules",
      proof: gives(
        `- step: start
  tool: {kind: noop, result: "{{ 'x' | int }}"}
  next: {arcs: [{step: end, when: "{{ 'x' | int == start }}"}]}
- step: end
  tool: {kind: noop, result: [same]}
`,
        ["same"],
      ),
    }),
  ]),
];
