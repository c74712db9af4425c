// `noetl run` on a terminal: a real one, read back as the screen that a person sees.

import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";
import { workplace } from "./noetl.ts";

const head = (name: string) =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}}\n`;
const place = workplace({
  "tour.yaml": `${head("tour")}workflow:
  - step: start
    tool: {kind: noop}
    next: {spec: {mode: inclusive}, arcs: [{step: each}, {step: ask}]}
  - step: each
    loop: {in: [1, 2, 0, 4], iterator: n, spec: {mode: sequential}}
    tool: {kind: shell, command: "while [ ! -e go-{{ n }} ]; do sleep 0.02; done; exit {{ 1 if n == 0 else 0 }}"}
    next: {spec: {mode: exclusive}, arcs: [{step: end, when: "{{ true }}"}]}
  - step: ask
    tool: {kind: playbook, path: kid, return_result: true}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {stats: "{{ each.stats }}"}}
`,
  "kid.yaml": `${head("kid")}workflow:
  - step: look
    tool: {kind: shell, command: "while [ ! -e go-kid ]; do sleep 0.02; done"}
`,
});
afterAll(() => place.remove());

/** What a terminal shows of the text that was written to it: only what the view uses. */
function screenOf(text: string): readonly string[] {
  const lines: string[] = [""];
  let row = 0;
  const plain = text.replaceAll(/\u001b\[(?:\?\d+[hl]|[\d;]*m)/g, "");
  for (const [piece] of plain.matchAll(/\u001b\[\d*[AJ]|\r|\n|[^\u001b\r\n]+/g)) {
    const up = /^\u001b\[(\d+)A$/.exec(piece);
    if (up !== null) row -= Number(up[1]);
    else if (piece === "\u001b[J") lines.splice(row, lines.length, "");
    else if (piece === "\n") lines[++row] ??= "";
    else if (piece !== "\r") lines[row] = piece;
  }
  return lines;
}

async function onTerminal(columns: number, env: Readonly<Record<string, string>> = {}) {
  let text = "";
  const decoder = new TextDecoder();
  const script = join(repositoryRoot, "scripts/noetl.ts");
  const child = Bun.spawn([process.execPath, script, "run", "tour.yaml"], {
    cwd: place.folder,
    env: { ...process.env, NO_COLOR: "", ...env },
    terminal: {
      cols: columns,
      rows: 20,
      data: (_terminal: unknown, bytes: Uint8Array) => {
        text += decoder.decode(bytes, { stream: true });
      },
    },
  });
  return {
    child,
    text: () => text,
    screen: () => screenOf(text),
    shows: async (pattern: RegExp) => {
      while (!screenOf(text).some((line) => pattern.test(line))) await Bun.sleep(10);
    },
  };
}

const go = (name: string) => place.write(`go-${name}`, "");

describe("on a terminal", () => {
  test("what runs stands below what has ended, each line only once", async () => {
    const terminal = await onTerminal(100);
    await terminal.shows(/each .* 0\/4 ░{20}/);
    await terminal.shows(/^ {2}\S look/);
    const running = terminal.screen();
    expect(running.findIndex((line) => /^✓ start/.test(line))).toBeGreaterThan(0);
    expect(running.findIndex((line) => /^\S ask/.test(line)) + 1).toBe(
      running.findIndex((line) => /^ {2}\S look/.test(line)),
    );
    for (const name of ["1", "2"]) go(name);
    await terminal.shows(/each .* 2\/4 █{10}░{10}/);
    for (const name of ["0", "4", "kid"]) go(name);
    expect(await terminal.child.exited).toBe(0);
    const screen = terminal.screen();
    for (const pattern of [
      /^✓ start/,
      /^ {2}✓ look/,
      /^✓ ask/,
      /^↷ each .*4\/4, 1 failed, recovered/,
      /^ {2}each item 2: /,
      /^✓ end/,
      /^completed in /,
      /^log: \.noetl\/runs\//,
    ]) {
      expect(screen.filter((line) => pattern.test(line)).length, `${pattern}`).toBe(1);
    }
    expect(screen.some((line) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(line))).toBe(false);
    expect(terminal.text()).toEndWith("\u001b[22m\r\n");
    expect(terminal.text().lastIndexOf("\u001b[?25h")).toBeGreaterThan(
      terminal.text().lastIndexOf("\u001b[?25l"),
    );
  });

  test("no line of the view is wider than a narrow terminal, and NO_COLOR takes the colours", async () => {
    for (const name of ["1", "2", "0", "4", "kid"]) go(name);
    const terminal = await onTerminal(30, { NO_COLOR: "1" });
    expect(await terminal.child.exited).toBe(0);
    const screen = terminal.screen();
    const view = screen.slice(
      0,
      screen.findIndex((line) => line.startsWith("completed in")),
    );
    expect(view.length).toBeGreaterThan(5);
    for (const line of view) expect(Bun.stringWidth(line)).toBeLessThan(30);
    expect(terminal.text()).not.toMatch(/\u001b\[\d+m/);
  });
});
