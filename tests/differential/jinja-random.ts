// Random expressions over the context of jinja-cases.ts, the same for the same seed. What differs
// from Jinja2 on purpose (tuples, printed iterators, tojson) is left out of the grammar.

interface Rule {
  /** What ends an expression. */
  readonly leaves: readonly string[];
  /** What goes on: `‹name›` stands for a rule, `‹a|b›` for one of the words. */
  readonly nodes: readonly string[];
}

const number: Rule = {
  leaves: ["0", "1", "2", "-3", "7", "n", "neg", "zero", "1_000", "d.a", "xs[0]"],
  nodes: [
    "‹number› ‹+|-|*› ‹number›",
    "(‹number› ‹+|-|*|//|%› ‹number›)",
    "(‹number› // ‹2|3|-4|11›)",
    "-‹number›",
    "(‹text›) | length",
    "(‹list›) | length",
    "(‹text›) | string | int",
    "(‹number›) | ‹abs|round(1)|int›",
    "(‹list› + [1]) | ‹sum|max|min|first|last›",
    "(‹number› if ‹truth› else ‹number›)",
    "(‹n|nope|d.x.y|d.a›) | default(‹number›)",
    "(‹text›).‹count|find›(‹text›)",
  ],
};
const text: Rule = {
  leaves: [
    "'a'",
    "'Bc d'",
    '"it\'s"',
    "''",
    "s",
    "low",
    "uni",
    "spaced",
    "num",
    "words[1]",
    "'😀é𝒳b'",
  ],
  nodes: [
    "(‹any›) ~ ‹any›",
    "(‹text› + ‹text›)",
    "(‹text›) * ‹0|1|2|3›",
    "(‹any›) | ‹upper|lower|trim|capitalize|title›",
    "(‹text›) | replace(‹text›, ‹text›)",
    "(‹text›) | string | ‹center(9)|truncate(6)|reverse|urlencode›",
    "(‹list›) | join(‹text›)",
    "(‹text›)[‹0|-1|1:|:2|::-1|1:3|9:›]",
    "(‹text›).‹upper|strip|title|swapcase›()",
    "(‹any›) | string",
    "(‹text› if ‹truth› else ‹text›)",
    "'%s/%5s/%s' % (‹any›, ‹text›, ‹number›)",
  ],
};
const list: Rule = {
  leaves: ["xs", "ys", "words", "mixed", "nested", "[]", "[1, 2]", "['b', 'a']", "d.b.c", "rows"],
  nodes: [
    "[‹any›, ‹any›]",
    "(‹list› + ‹list›)",
    "(‹list›)[‹1:|:1|::-1|::2|-2:›]",
    "(‹list›) | ‹sort|list›",
    "(‹list›) | reverse | list",
    "(‹list›) | select('‹number|string|defined›') | list",
    "(‹list›) | map('string') | list",
    "(‹text›).split(‹','|'a'›)",
    "(‹list›) | batch(2) | list",
    "(‹list›) * ‹0|1|2›",
  ],
};
const truth: Rule = {
  leaves: ["true", "false", "yes", "no", "n", "s", "empty", "nope", "nil", "xs", "ys"],
  nodes: [
    "(‹any› ‹==|!=› ‹any›)",
    "(‹number› ‹<|‹=|›=|==› ‹number›)",
    "(‹text› ‹<|<=|in|not in› ‹text›)",
    "(‹any› in ‹list›)",
    "(‹truth› ‹and|or› ‹truth›)",
    "(not ‹truth›)",
    "((‹any›) is ‹defined|none|string|mapping›)",
    "(‹number› < ‹number› <= ‹number›)",
    "((‹number›) is ‹odd|even|divisibleby 3›)",
  ],
};
const odd: Rule = {
  leaves: ["nope", "nil", "d.nope.x", "mixed[3]", "half", "tiny", "d", "d.b", "rows[0]"],
  nodes: ["‹number›", "‹text›", "‹list›", "‹truth›"],
};
/** What stands in a body: it may read names that are only set in some of them. */
const inner: Rule = {
  leaves: ["{{ n }}", "-", "{{ v }}"],
  nodes: [
    "{{ ‹any› }}",
    "{{ p }}{{ v }}{{ x }}",
    "{% if ‹truth› %}‹inner›{% else %}{{ ‹text› }}{% endif %}",
    "{% set v = ‹any› %}{{ v }}",
    "{% for x in xs if x ‹<|>› ‹number› %}‹inner›{{ loop.index }}{% else %}‹inner›{% endfor %}",
    "{% with v = ‹any› %}‹inner›{% endwith %}{{ v }}",
    "{%- if ‹truth› -%} ‹inner› {%- endif %} ",
  ],
};
const statement: Rule = {
  leaves: ["{{ n }}"],
  nodes: [
    "{{ ‹any› }}",
    "{{ ‹number› }}",
    "{{ ‹text› }}",
    "{{ ‹truth› }}",
    "{% if ‹truth› %}A{{ ‹any› }}{% else %}B{% endif %}",
    "{% for x in ‹list› %}{{ loop.index }}{{ x }};{% else %}-{% endfor %}",
    "{% set v = ‹any› %}{{ v }}#{{ v == ‹any› }}",
    "{% for x in xs if x > ‹number› %}{{ x }}{% endfor %}",
    "{% macro m(p, q=‹any›) %}[{{ p }}‹inner›{{ q }}]{% endmacro %}{{ m(‹any›) }}{{ m(q=‹any›) }}",
    "{% macro m(p) %}‹inner›{% endmacro %}‹inner›{% set v = ‹any› %}{{ m(‹text›) ~ m(v) }}‹inner›",
    "{% macro w(p) %}<{{ caller(p) }}>{% endmacro %}{% call(i) w(‹any›) %}{{ i }}‹inner›{% endcall %}",
    "{% macro r(p) %}{{ p }}{% if p > 0 %}{{ r(p - 1) }}{% endif %}‹inner›{% endmacro %}{{ r(‹1|2|3›) }}",
    "{% for x in ‹list› %}{% for y in ‹list› %}{{ loop.index }}{{ y }}{% else %}‹inner›{% endfor %};{% endfor %}",
    "{% for x in nested recursive %}{{ loop(x) if x is iterable else x }}‹inner›{{ loop.depth }}{% endfor %}",
    "{% with v = ‹any›, u = ‹number› %}‹inner›{{ v }}{{ u }}{% endwith %}{{ v }}‹inner›",
    "{% set v %}‹inner›{% endset %}{{ v | length }}{{ v }}",
    "{% filter ‹upper|trim|title› %}‹inner›{% endfilter %}",
  ],
};
const rules: ReadonlyMap<string, Rule> = new Map([
  ["number", number],
  ["text", text],
  ["list", list],
  ["truth", truth],
  ["any", odd],
  ["inner", inner],
]);
const leafShare = 0.15;
const depthMax = 5;

type Random = () => number;

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function expand(rule: Rule, depth: number, random: Random): string {
  const ends = depth <= 0 || random() < leafShare;
  const shape = pick(ends ? rule.leaves : rule.nodes, random);
  if (ends) return shape;
  return shape.replace(/‹([^›]+)›/g, (_, words: string) => {
    const inner = rules.get(words);
    return inner === undefined ? pick(words.split("|"), random) : expand(inner, depth - 1, random);
  });
}

/** So many templates, each a lone expression or a statement around some. */
export function randomTemplates(seed: number, count: number): readonly string[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => expand(statement, depthMax, random));
}
