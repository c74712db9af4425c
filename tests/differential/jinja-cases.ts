// The context that the differential suite renders everything over, and the templates whose results
// agree with Jinja2's, by construct (jinja-cases.json); one that errs has to err in both.

import cases from "./jinja-cases.json" with { type: "json" };

export const groups: Readonly<Record<string, readonly string[]>> = cases;

export const context = {
  n: 7,
  zero: 0,
  neg: -5,
  half: 2.5,
  tiny: 0.00001,
  yes: true,
  no: false,
  nil: null,
  s: "Hello, World",
  low: "abc",
  empty: "",
  spaced: "  padded\t\n",
  uni: "naïve 😀 Ünïcode ß",
  quotes: 'it\'s "quoted"',
  html: '<p class="a">Tom &amp; <b>Jerry</b></p><!-- x -->',
  lines: "one\ntwo\n\nthree\r\nfour",
  para: "The quick brown fox jumps over the lazy dog, a well-known pangram--really.",
  num: "42",
  flt: "12.75",
  bad: "12px",
  xs: [3, 1, 2],
  ys: [],
  words: ["pear", "Apple", "fig", "apple"],
  mixed: [1, "a", null, true, 2.5, [1, 2], { k: "v" }],
  nested: [
    [1, 2],
    [3, [4, 5]],
  ],
  rows: [
    { id: 1, name: "Ann", dept: "x", pay: 10, tags: ["a"] },
    { id: 2, name: "bob", dept: "y", pay: 20, tags: [] },
    { id: 3, name: "Cid", dept: "x", pay: 30, active: true },
  ],
  d: { a: 1, b: { c: [10, 20, { e: "deep" }] }, "with space": 2, A: 3 },
  output: { status: "error", http: { status: 429 }, error: { kind: "timeout", retryable: true } },
} as const;
