// How long `noetl test` takes, from the start of its process to its end, over 3,400 seconds of delays and
// an hour's wait: time that is jumped over, not lived through.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measurement } from "#scripts/bench-figure";
import { repositoryRoot } from "#scripts/install";
import { playbookText } from "./bench-plans.ts";

const playbook = playbookText(
  "delays",
  `- step: start
  tool:
    kind: http
    url: http://127.0.0.1:1/
    spec:
      policy:
        rules:
          - when: "{{ output.status == 'error' }}"
            then: {do: retry, attempts: 3, delay: 1700}
  next: {arcs: [{step: rest}]}
- step: rest
  tool: {kind: wait, for: timer, seconds: 3600}`,
);

const tests = `apiVersion: noetl.io/v2
kind: PlaybookTest
playbook: delays.yaml
tests:
  - name: waits nearly two hours
    mocks:
      - {step: start, call: 3, data: {ok: true}}
      - step: start
        output: {status: error, error: {kind: http, code: 503, message: busy, retryable: true}}
    expect:
      status: completed
      virtual_s: {min: 7000, max: 7010}
`;

async function testMs(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "noetl-bench-"));
  try {
    writeFileSync(join(directory, "delays.yaml"), playbook);
    writeFileSync(join(directory, "delays.test.yaml"), tests);
    const startedAtMs = performance.now();
    const child = Bun.spawn(
      [process.execPath, "scripts/noetl.ts", "test", join(directory, "delays.test.yaml")],
      { cwd: repositoryRoot, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const [out, errors] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    const exitCode = await child.exited;
    if (exitCode !== 0)
      throw new Error(`noetl test ended with ${exitCode}: ${out}${errors}`.trim());
    return performance.now() - startedAtMs;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "noetl test over two hours of delays", unit: "ms", target: 300, better: "lower" },
    ],
    runs: 5,
    take: async () => [await testMs()],
  },
];
