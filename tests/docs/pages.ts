// The pages of the documentation as tests read them: their fenced blocks, headings, links and the
// files they name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";

export interface Block {
  /** What the fence says: `console exits with 2`. */
  readonly info: string;
  readonly text: string;
  /** The line of its fence, from 1. */
  readonly line: number;
}

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text without its blocks, whose lines stay as empty ones. */
  readonly prose: string;
}

/** The first word of what the fence says. */
export function language({ info }: Block): string {
  return info.split(" ")[0] ?? "";
}

/** The file that a block is the content of: ` ```yaml file=shop.yaml `. */
export function blockFile({ info }: Block): string | undefined {
  return /(?:^| )file=(\S+)/.exec(info)?.[1];
}

/** README.md, the pages beside it, and every page below docs/ and examples/. */
export function allPages(): readonly Page[] {
  const globs = ["*.md", "docs/**/*.md", "examples/**/*.md"].map((glob) => new Bun.Glob(glob));
  const paths = globs.flatMap((glob) => [...glob.scanSync({ cwd: repositoryRoot })]);
  return paths.sort().map(readPage);
}

function readPage(path: string): Page {
  const text = readFileSync(join(repositoryRoot, path), "utf8");
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { info: string; line: number; lines: string[]; indent: string } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    prose.push(open === undefined && fence === null ? line : "");
    if (open === undefined) {
      const [, indent = "", info = ""] = fence ?? [];
      if (fence !== null) open = { info: info.trim(), line: index + 1, lines: [], indent };
    } else if (fence?.[1] === open.indent && fence[2] === "") {
      blocks.push({ info: open.info, text: open.lines.join("\n"), line: open.line });
      open = undefined;
    } else open.lines.push(line.slice(open.indent.length));
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: the block does not end`);
  return { path, text, blocks, prose: prose.join("\n") };
}

/** The anchors of a page's headings, as renderers of Markdown make them. */
export function anchors({ prose }: Page): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(/\s/g, "-");
    for (let name = anchor, n = 1; ; name = `${anchor}-${n++}`) {
      if (found.has(name)) continue;
      found.add(name);
      break;
    }
  }
  return found;
}

/** Where the links and pictures of a page lead that lead to no other site. */
export function innerLinks({ prose }: Page): readonly string[] {
  const texts = prose.replaceAll(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
  const targets = [...texts.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** What stands in back quotes, without line breaks. */
export function codeWords({ prose }: Page): readonly string[] {
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word.replaceAll(/\s+/g, " "));
}
