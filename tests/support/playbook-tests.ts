// Tests of playbooks run as `noetl test` runs them, in the test's own process: the texts come from
// the caller, and what came of each test goes back to it.

import { catalogPath, type PlaybookFile } from "#cli/playbook-files";
import { realTools } from "#cli/test-real";
import { runTest, type TestResult } from "#cli/test-run";
import { parsePlaybook } from "#core/playbook/parse";
import { parsePlaybookTest } from "#core/playbook/test-document";

const head = "apiVersion: noetl.io/v2\nkind: PlaybookTest\nplaybook: main.yaml\n";

/** A playbook's text from its steps. */
export function playbookOf(name: string, workflow: string): string {
  const opening = `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}}\n`;
  return `${opening}workflow:\n${workflow}\n`;
}

/**
 * Runs every test of a test file.
 * @param playbooks the last one is the one that is tested.
 * @param tests what stands below the head of a test file: `tests: […]`.
 */
export async function runPlaybookTests(
  playbooks: readonly string[],
  tests: string,
): Promise<readonly TestResult[]> {
  const files = playbooks.map(fileOf);
  const main = files.at(-1);
  const parsed = parsePlaybookTest(`${head}${tests}`);
  if (main === undefined) throw new Error("expected a playbook, found none");
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("\n"));
  const { document, against } = parsed;
  const byPath = new Map(files.map((file) => [catalogPath(file.document), file.document]));
  const problems = against({ main: main.document, byPath });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  const tools = realTools(async () => ({}));
  const policy = { shell: false, fileRoots: [] };
  const results: TestResult[] = [];
  try {
    for (const test of document.tests) {
      results.push(await runTest({ document, test, files, main, policy, real: tools.tool }));
    }
  } finally {
    await tools.close();
  }
  return results;
}

/** The same where there is one test. */
export async function runPlaybookTest(
  playbooks: readonly string[],
  test: string,
): Promise<TestResult> {
  const indented = test.replaceAll(/^/gm, "    ");
  const [result] = await runPlaybookTests(playbooks, `tests:\n  - name: a\n${indented}\n`);
  if (result === undefined) throw new Error("expected one test, found none");
  return result;
}

function fileOf(content: string): PlaybookFile {
  const parsed = parsePlaybook(content);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("\n"));
  const { document } = parsed;
  return { file: `${document.metadata.name}.yaml`, content, document };
}
