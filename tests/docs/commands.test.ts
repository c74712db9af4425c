// Every ```console block of the documentation is run, page by page and in order, and must say what
// the page shows. A block of a file (`file=NAME`) is written before the next command runs.
import { expect, test } from "bun:test";
import { matchesShown, normalised } from "./output-match.ts";
import { openPageShell, type PageShell, type Said } from "./page-shell.ts";
import { allPages, type Block, blockFile, language, type Page } from "./pages.ts";

const pageTimeoutMs = 60_000;
/** Reading what the platform is doing is repeated this long, as a reader would. */
const repeatMsMax = 10_000;
const repeatMs = 50;

interface Command {
  readonly command: string;
  /** What follows it on the page, up to the next command. */
  readonly shown: string;
}

const pages = allPages();
const withCommands = pages.filter(({ blocks }) => blocks.some((block) => isConsole(block)));

for (const page of withCommands) {
  test(`${page.path} shows what its commands say`, () => runPage(page), pageTimeoutMs);
}

test("the pages that a newcomer follows hold commands", () => {
  const paths = withCommands.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["README.md", "docs/log.md", "docs/quickstart.md"]));
});

function isConsole(block: Block): boolean {
  return language(block) === "console";
}

async function runPage(page: Page): Promise<void> {
  const shell = openPageShell();
  const ids = new Map<string, string>();
  try {
    for (const block of page.blocks) {
      const file = blockFile(block);
      if (file !== undefined) shell.write(file, `${block.text}\n`);
      if (isConsole(block)) await runBlock(shell, block, { ids, place: page.path });
    }
  } finally {
    await shell.close();
  }
}

interface Reading {
  readonly ids: Map<string, string>;
  readonly place: string;
}

async function runBlock(shell: PageShell, block: Block, reading: Reading): Promise<void> {
  const commands = commandsOf(block);
  const exit = Number(/exits with (\d+)/.exec(block.info)?.[1] ?? 0);
  for (const [index, { command, shown }] of commands.entries()) {
    const where = `${reading.place}:${block.line}: $ ${command}`;
    const own = command.replaceAll(/\d{18,19}/g, (id) => reading.ids.get(id) ?? id);
    if (/(?:^| )(?:noetl|run) dev\b/.test(command)) {
      await begin(shell, own, { where, shown, ids: reading.ids });
      continue;
    }
    const said = await runUntil(shell, own, ({ output }) =>
      matchesShown(shown, output, reading.ids),
    );
    if (!matchesShown(shown, said.output, reading.ids)) differ(where, shown, said.output);
    const expected = index === commands.length - 1 ? exit : 0;
    expect({ where, exitCode: said.exitCode }).toEqual({ where, exitCode: expected });
  }
}

/** `$ ` begins a command, `> ` goes on with it; all other lines are what it says. */
function commandsOf({ text, line }: Block): readonly Command[] {
  const commands: { command: string; lines: string[] }[] = [];
  for (const each of text.split("\n")) {
    const last = commands.at(-1);
    if (each.startsWith("$ ")) commands.push({ command: each.slice(2), lines: [] });
    else if (last === undefined) throw new Error(`line ${line}: expected a command first`);
    else if (each.startsWith("> ") && last.lines.length === 0) last.command += `\n${each.slice(2)}`;
    else last.lines.push(each);
  }
  return commands.map(({ command, lines }) => ({ command, shown: lines.join("\n").trimEnd() }));
}

/** Runs a command; one that only looks is run again until it says what is expected. */
async function runUntil(
  shell: PageShell,
  command: string,
  isExpected: (said: Said) => boolean,
): Promise<Said> {
  const only = /^(?:curl -s \S+$|(?:.* )?noetl (?:status|list|events|catalog) )/;
  const deadline = performance.now() + (only.test(command) ? repeatMsMax : 0);
  for (;;) {
    const said = await shell.run(command);
    if (isExpected(said) || performance.now() >= deadline) return said;
    await Bun.sleep(repeatMs);
  }
}

/** Starts what lasts, and waits for what the page shows of it. */
async function begin(
  shell: PageShell,
  command: string,
  { where, shown, ids }: { readonly where: string; readonly shown: string } & Pick<Reading, "ids">,
): Promise<void> {
  const started = shell.start(command);
  // A machine that has never run it says so first, once.
  const output = () => started.output().replace("preparing the database, once\n", "");
  while (!matchesShown(shown, output(), ids, { openEnd: true })) {
    const complete = output().split("\n").length > shown.split("\n").length;
    if (complete || started.hasEnded()) differ(where, shown, output());
    await started.more();
  }
}

/** @throws with both texts side by side. */
function differ(where: string, shown: string, output: string): never {
  expect(`${where}\n${normalised(output).trimEnd()}`).toBe(`${where}\n${normalised(shown)}`);
  throw new Error(`${where}: another id than was shown before:\n${output}`);
}
