// Where the template language differs from Jinja2 on purpose: each difference with its reason, and
// templates that show it, with our result. `error` stands for a template that is refused or stops.

export interface Difference {
  /** The heading of the difference in docs/templates.md. */
  readonly name: string;
  readonly reason: string;
  readonly examples: readonly (readonly [template: string, ours: string])[];
}

export const differences: readonly Difference[] = [
  {
    name: "text without tags",
    reason: "a text that has no tags stands for itself, to the last newline and comment mark",
    examples: [
      ["line\n", "line\n"],
      ["a{# comment #}b", "a{# comment #}b"],
      ["{{ a", "{{ a"],
    ],
  },
  {
    name: "shell arrays",
    reason: "`${#a[@]}` is the length of an array in shell scripts, not a comment",
    examples: [["${#a[@]} {{ n }} #}", "${#a[@]} 7 #}"]],
  },
  {
    name: "open comments",
    reason: "`{#` that nothing closes is text, as in shell and CSS",
    examples: [["{{ n }} {# open", "7 {# open"]],
  },
  {
    name: "default and null",
    reason: "`default` stands in for null as for a missing value: JSON says both with null",
    examples: [
      ["{{ nil | default('x') }}", "x"],
      ["{{ none | d('x') }}", "x"],
    ],
  },
  {
    name: "whole numbers",
    reason: "JSON and JavaScript have one kind of number, so a whole one has no `.0`",
    examples: [
      ["{{ 4 / 2 }}", "2"],
      ["{{ 3.0 }}", "3"],
      ["{{ '5' | float }}", "5"],
      ["{{ 1e20 }}", "100000000000000000000"],
      ["{{ 3.0 is integer }}", "True"],
      ["{{ 3.0 is float }}", "False"],
      ["{{ 2.5 | round }}", "2"],
      ["{{ 'a' * 2.0 }}", "aa"],
    ],
  },
  {
    name: "int of what is no number",
    reason: "`int` gives its default for a missing value too, as the fixtures of playbooks expect",
    examples: [
      ["{{ nope | int }}", "0"],
      ["{{ nope | int(3) }}", "3"],
    ],
  },
  {
    name: "no infinity, no nan",
    reason: "JSON can't say them, so texts that name them are no numbers",
    examples: [
      ["{{ 'inf' | float }}", "0"],
      ["{{ 'nan' | float }}", "0"],
      ["{{ 1e999 }}", "error"],
    ],
  },
  {
    name: "tojson",
    reason: "plain compact JSON in the data's order, for bodies and SQL rather than for HTML",
    examples: [
      ["{{ {'b': 1, 'a': [1, 2]} | tojson }}", '{"b":1,"a":[1,2]}'],
      ["{{ '<é>' | tojson }}", '"<é>"'],
      ["{{ nope | tojson }}", "null"],
    ],
  },
  {
    name: "keys of the data win",
    reason: "`d.items` without a call is the key `items`, or missing; only a call is a method",
    examples: [
      ["{{ {'items': 5}.items }}", "5"],
      ["{{ {'keys': 1}.keys }}", "1"],
      ["{{ d.values is defined }}", "False"],
      ["{{ s.upper is defined }}", "False"],
    ],
  },
  {
    name: "tuples are lists",
    reason: "JSON has one kind of list",
    examples: [
      ["{{ (1, 2) }}", "[1, 2]"],
      ["{{ () }}", "[]"],
      ["{{ d | dictsort | first }}", "['a', 1]"],
      ["{{ (1, 2) == [1, 2] }}", "True"],
      ["{{ '%s' % [1] }}", "1"],
      ["{% macro m() %}{{ varargs }}{% endmacro %}{{ m(1, 2) }}", "[1, 2]"],
    ],
  },
  {
    name: "lists instead of iterators",
    reason: "`map`, `items()`, `range()` and their like give lists, which print and have a length",
    examples: [
      ["{{ [1, 2] | map('string') }}", "['1', '2']"],
      ["{{ range(3) }}", "[0, 1, 2]"],
      ["{{ {'a': 1}.items() }}", "[['a', 1]]"],
      ["{{ xs | reverse }}", "[2, 1, 3]"],
      ["{{ xs | select('odd') | length }}", "2"],
    ],
  },
  {
    name: "keys are texts",
    reason: "as in JSON; numbers, booleans and none become texts when they serve as keys",
    examples: [
      ["{{ {1: 'a'} }}", "{'1': 'a'}"],
      ["{{ {'1': 'a'}[1] }}", "a"],
      ["{{ {none: 'a'} }}", "{'null': 'a'}"],
    ],
  },
  {
    name: "attr reads keys",
    reason: "data has no attributes beside its keys",
    examples: [["{{ d | attr('a') }}", "1"]],
  },
  {
    name: "no markup",
    reason: "nothing is HTML here, so `escape` escapes each time it is used",
    examples: [["{{ '<' | e | e }}", "&amp;lt;"]],
  },
  {
    name: "functions by name only",
    reason: "calling what is not a known function or method is refused when the playbook is read",
    examples: [
      ["{% if false %}{{ nope() }}{% endif %}", "error"],
      ["{% if false %}{{ s.nope() }}{% endif %}", "error"],
      ["{% if false %}{{ n() }}{% endif %}", "error"],
      ["{{ s.upper().__class__ is defined }}", "False"],
      ["{{ lipsum(1) | length > 0 }}", "error"],
      ["{{ range is defined }}", "False"],
      ["{{ (joiner('x'))() }}", "error"],
    ],
  },
  {
    name: "arguments of macros",
    reason: "a call that no macro of the template takes is refused when the playbook is read",
    examples: [
      ["{% macro m(a) %}{% endmacro %}{% if false %}{{ m(1, 2) }}{% endif %}", "error"],
      ["{% macro m(a) %}{% endmacro %}{% if false %}{{ m(b=1) }}{% endif %}", "error"],
      ["{% macro m() %}{% endmacro %}{% if no %}{% call m() %}{% endcall %}{% endif %}", "error"],
      ["{% if false %}{{ m() }}{% endif %}{% macro m() %}{% endmacro %}", "error"],
      ["{% if false %}{% call n() %}{% endcall %}{% endif %}", "error"],
    ],
  },
  {
    name: "arguments are written out",
    reason: "what a call is given can be seen where it is made: `*` and `**` spread nothing",
    examples: [
      ["{{ range(*[1, 3]) | list }}", "error"],
      ["{{ dict(**{'a': 1}) }}", "error"],
    ],
  },
  {
    name: "macros are no data",
    reason: "they go by name and as arguments; in lists and dicts the text that names them is left",
    examples: [
      ["{% macro m() %}x{% endmacro %}{% for f in [m] %}{{ f() }}{% endfor %}", "error"],
      ["{% macro m() %}x{% endmacro %}{{ [m] | first is string }}", "True"],
      ["{% for x in [1] %}{{ loop }}{% endfor %}", "<LoopContext>"],
      ["{{ cycler('a') }}{{ joiner() }}", "<Cycler><Joiner>"],
    ],
  },
  {
    name: "macros before a set",
    reason: "until the template sets it, a name is that of the data, inside a macro too",
    examples: [["{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% set n = 2 %}{{ m() }}", "72"]],
  },
  {
    name: "no reuse of templates",
    reason: "a playbook's template stands alone: includes, imports and inheritance are refused",
    examples: [
      ["{% block b %}x{% endblock %}", "error"],
      ["{% block b scoped %}{{ n }}{% endblock %}", "error"],
      ["{% autoescape true %}x{% endautoescape %}", "error"],
    ],
  },
  {
    name: "same result every time",
    reason: "replay needs it: there is no `random`",
    examples: [["{{ [1] | random }}", "error"]],
  },
  {
    name: "filters that are not here",
    reason: "they print for people or HTML, which playbooks do not do",
    examples: [
      ["{{ 'x' | urlize }}", "error"],
      ["{{ {'a': 1} | xmlattr }}", "error"],
      ["{{ [1] | pprint }}", "error"],
    ],
  },
  {
    name: "filters beyond Jinja",
    reason: "those that playbooks use, and those of minijinja",
    examples: [
      ["{{ 'é' | b64encode }}", "w6k="],
      ["{{ 'w6k=' | b64decode }}", "é"],
      ["{{ ('[1, 2]' | fromjson)[1] }}", "2"],
      ["{{ 'a,b' | split(',') }}", "['a', 'b']"],
      ["{{ {'a': 1} | keys }}", "['a']"],
      ["{{ {'a': 1} | values }}", "[1]"],
      ["{{ {'a': 1} | get('b', 2) }}", "2"],
      ["{{ 'abc' | len }}", "3"],
      ["{{ '' | bool }}", "False"],
      ["{{ 'a\\nb' | lines }}", "['a', 'b']"],
      ["{{ [1, 2] | zip(['a', 'b', 'c']) }}", "[[1, 'a'], [2, 'b']]"],
      ["{{ [1] | chain([2], 'ab') }}", "[1, 2, 'a', 'b']"],
      ["{{ {'a': 1, 'b': 1} | chain({'b': 2}) }}", "{'a': 1, 'b': 2}"],
      ["{{ now() }}", "1970-01-01T00:00:00.000Z"],
    ],
  },
  {
    name: "dates",
    reason:
      "Jinja has none; ours are pure, in UTC, over RFC 3339 text, `YYYY-MM-DD` and epoch seconds",
    examples: [
      ["{{ '2026-01-31' | strftime('%d/%m/%y %H:%M') }}", "31/01/26 00:00"],
      ["{{ '2026-01-31T09:30:00.25+01:00' | timestamp }}", "1769848200.25"],
      ["{{ 1769848200 | datetime }}", "2026-01-31T08:30:00Z"],
      ["{{ '2026-01-31' | date_add(months=1, hours=6) }}", "2026-02-28T06:00:00Z"],
      ["{{ '2026-03-01' | date_diff('2026-02-01', 'days') }}", "28"],
      ["{{ '2026-01-31T08:30:00Z' | date_trunc('month') }}", "2026-01-01T00:00:00Z"],
    ],
  },
  {
    name: "tests beyond Jinja",
    reason: "those of minijinja",
    examples: [
      ["{{ 'abc' is startingwith 'ab' }}", "True"],
      ["{{ 'abc' is endingwith('b') }}", "False"],
      ["{{ [1, 2] is containing 2 }}", "True"],
      ["{{ 'a' is safe }}", "False"],
    ],
  },
  {
    name: "unique and lists",
    reason: "lists and dicts can be told apart by their content, so `unique` takes them",
    examples: [["{{ [[1], [1], [2]] | unique | list }}", "[[1], [2]]"]],
  },
  {
    name: "empty subscripts",
    reason: "`a[]` is a mistake",
    examples: [["{{ s[] }}", "error"]],
  },
  {
    name: "keys of a missing kind",
    reason: "what can't be a key is in no dict, instead of an error",
    examples: [["{{ [1] in d }}", "False"]],
  },
  {
    name: "bounds",
    reason: "one template can't take the memory or the time of a worker",
    examples: [
      ["{{ range(2000000) | length }}", "error"],
      ["{{ ('x' * 20000000) | length }}", "error"],
      ["{{ (2 ** 5000) > 1 }}", "error"],
    ],
  },
];
