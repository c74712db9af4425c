// Holds the counting of a test run to the reports and lines that the test runner writes.
import { expect, test } from "bun:test";
import { countLines, countReport } from "#scripts/test-report";

test("counts cases that passed, failed and did not run, in suites within suites", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" failures="1" skipped="2">
  <testsuite name="tests/a.test.ts" file="tests/a.test.ts" tests="5">
    <testcase name="a &gt; b &lt;failure /&gt;" file="tests/a.test.ts" assertions="0" />
    <testcase name="bad" file="tests/a.test.ts">
      <failure type="Error" message="&lt;skipped&gt;">Error&#10;</failure>
    </testcase>
    <testcase name="later" file="tests/a.test.ts">
      <skipped message="not yet" />
    </testcase>
    <testsuite name="inner" file="tests/a.test.ts">
      <testcase name="not here" file="tests/a.test.ts">
        <skipped />
      </testcase>
    </testsuite>
    <testcase name="after" file="tests/a.test.ts" />
  </testsuite>
  <testsuite name="b" file="tests/b&amp;c.test.ts" />
</testsuites>`;

  const { counts, files } = countReport(xml);

  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
  expect([...files]).toEqual(["tests/a.test.ts", "tests/b&c.test.ts"]);
});

test("counts nothing in a report that stops in the middle of a case", () => {
  const xml = '<testsuite file="a.test.ts"><testcase name="a" /><testcase name="b"><failure>';

  expect(countReport(xml).counts).toEqual({ passed: 1, failed: 0, skipped: 0 });
});

test("counts the printed lines, plain and in colour", () => {
  const esc = String.fromCharCode(27);
  const plain = "(pass) a [0.1ms]\n(fail) b\n(skip) c\n(todo) d\nnot (pass) this\n";
  const coloured = `${esc}[0m${esc}[32m✓${esc}[0m a\n${esc}[31m✗${esc}[0m b\n`;

  expect(countLines(plain)).toEqual({ passed: 1, failed: 1, skipped: 2 });
  expect(countLines(coloured)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});
