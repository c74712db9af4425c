// Owns the counting of a test run: from the JUnit report of the test runner, or, where the runner
// died before it wrote one, from the lines it had printed. Pure text in, numbers out.

/** How many tests ended in each way; a test marked as still to be written counts as skipped. */
export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** The counts of a report and the test files, relative to the root, that it speaks of. */
export type TestReport = { readonly counts: Counts; readonly files: ReadonlySet<string> };

/** The counts of a run in parts; of no parts, nothing. */
export function sumOf(parts: readonly Counts[]): Counts {
  const sum = (key: keyof Counts): number => parts.reduce((total, part) => total + part[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

const elementPattern = /<(\/?)(testsuite|testcase|failure|error|skipped)\b([^>]*?)(\/?)>/g;
const filePattern = /\bfile="([^"]*)"/;

/**
 * Counts the test cases of a JUnit report. Angle brackets inside of attributes and text are escaped
 * in XML, so matching tags alone is exact. A case with both a failure and a skip mark has failed.
 */
export function countReport(xml: string): TestReport {
  const files = new Set<string>();
  let [total, failed, skipped] = [0, 0, 0];
  let outcome: "passed" | "failed" | "skipped" = "passed";
  for (const [, closing, name, attributes = "", selfClosing] of xml.matchAll(elementPattern)) {
    const ends = closing === "/" || selfClosing === "/";
    if (name === "testsuite" || name === "testcase") {
      const file = filePattern.exec(attributes)?.[1];
      if (file !== undefined) files.add(unescapeXml(file));
    }
    if (name === "failure" || name === "error") outcome = "failed";
    if (name === "skipped" && outcome === "passed") outcome = "skipped";
    if (name !== "testcase") continue;
    if (!ends) continue;
    total += 1;
    if (outcome === "failed") failed += 1;
    if (outcome === "skipped") skipped += 1;
    outcome = "passed";
  }
  return { counts: { passed: total - failed - skipped, failed, skipped }, files };
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

const escapePattern = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const linePattern = /^(?:\((pass|fail|skip|todo)\)|([✓✗»✎])) /gm;

/** Counts the result lines the runner printed, with or without colours. */
export function countLines(output: string): Counts {
  const seen = { passed: 0, failed: 0, skipped: 0 };
  for (const [, word, sign] of output.replaceAll(escapePattern, "").matchAll(linePattern)) {
    if (word === "pass" || sign === "✓") seen.passed += 1;
    else if (word === "fail" || sign === "✗") seen.failed += 1;
    else seen.skipped += 1;
  }
  return seen;
}
