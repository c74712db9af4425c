// What the documentation refers to is there: links, anchors, files, tests; and the playbooks it
// shows are fit to run.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parsePlaybook } from "#core/playbook/parse";
import { parsePlaybookTest } from "#core/playbook/test-document";
import { repositoryRoot } from "#scripts/install";
import {
  allPages,
  anchors,
  blockFile,
  codeWords,
  innerLinks,
  language,
  type Page,
} from "./pages.ts";

const pages = allPages();
const byPath = new Map(pages.map((page) => [page.path, page]));

/** Pages that describe the house as it will be name folders that are still to come. */
const ahead: ReadonlySet<string> = new Set(["CONTRIBUTING.md"]);

function deadLinks(page: Page): readonly string[] {
  return innerLinks(page).filter((link) => {
    const [file = "", anchor] = link.split("#");
    const path = file === "" ? page.path : normalize(join(dirname(page.path), file));
    if (!existsSync(join(repositoryRoot, path))) return true;
    const target = byPath.get(path.replace(/\/$/, "/README.md"));
    return anchor !== undefined && (target === undefined || !anchors(target).has(anchor));
  });
}

/** Names of files in back quotes; a bare name stands beside the last one that had a folder. */
function namedFiles(page: Page): readonly string[] {
  const house = /^(?:core|control|worker|cli|scripts|tests|docs|examples)\/[\w./*-]+$/;
  let folder = "";
  return codeWords(page).flatMap((word) => {
    if (house.test(word)) folder = dirname(word);
    else if (/^[\w*-]+\.test\.ts$/.test(word)) return [join(folder, word)];
    return house.test(word) ? [word] : [];
  });
}

function exists(path: string): boolean {
  if (!path.includes("*")) return existsSync(join(repositoryRoot, path));
  return [...new Bun.Glob(path).scanSync({ cwd: repositoryRoot })].length > 0;
}

describe("the documentation", () => {
  test("links to pages and headings that are there", () => {
    const dead = pages.flatMap((page) => deadLinks(page).map((link) => `${page.path}: ${link}`));
    expect(dead).toEqual([]);
  });

  test("names files that are there", () => {
    const named = pages.filter(({ path }) => !ahead.has(path));
    const missing = named.flatMap((page) =>
      namedFiles(page).flatMap((file) => (exists(file) ? [] : [`${page.path}: ${file}`])),
    );
    expect(missing).toEqual([]);
  });

  test("has a page for everything below docs/ in its index", () => {
    const index = byPath.get("docs/README.md");
    const linked = new Set(
      (index === undefined ? [] : innerLinks(index)).map((link) => `docs/${link}`),
    );
    const below = pages.map(({ path }) => path).filter((path) => /^docs\/(?!README)/.test(path));
    expect(below.filter((path) => !linked.has(path))).toEqual([]);
  });

  test("shows playbooks that are fit to run", () => {
    const whole = pages.flatMap(({ path, blocks }) =>
      blocks
        .filter((block) => language(block) === "yaml" && /^apiVersion:/m.test(block.text))
        .map(({ text, line }) => ({ where: `${path}:${line}`, text })),
    );
    const bad = whole.flatMap(({ where, text }) => {
      const isTest = /^kind: PlaybookTest$/m.test(text);
      const { warnings, ...parsed } = isTest ? parsePlaybookTest(text) : parsePlaybook(text);
      // One page shows older forms, to rewrite them.
      const told = /^docs\/older-forms\.md:/.test(where) ? [] : warnings;
      const problems = [...told, ...("problems" in parsed ? parsed.problems : [])];
      return problems.map(({ line, message }) => `${where} +${line}: ${message}`);
    });
    expect(bad).toEqual([]);
    expect(whole.length).toBeGreaterThan(3);
  });

  test("shows files of the repository as they are, comments aside", () => {
    const shown = pages
      .flatMap(({ blocks }) => blocks)
      .flatMap((block) => {
        const file = /^# (examples\/\S+)$/.exec(block.text.split("\n")[0] ?? "")?.[1];
        return file === undefined || blockFile(block) !== undefined
          ? []
          : [{ file, text: block.text }];
      });
    for (const { file, text } of shown) {
      expect({ file, text: uncommented(text) }).toEqual({
        file,
        text: uncommented(readFileSync(join(repositoryRoot, file), "utf8")),
      });
    }
    expect(shown.length).toBeGreaterThan(0);
  });
});

function uncommented(text: string): string {
  return text.replaceAll(/^ *#.*\n/gm, "").trim();
}

describe("every promise of ARCHITECTURE.md", () => {
  const promises = sectionOf("ARCHITECTURE.md", "Promises")
    .split(/^(?=\d+\. )/m)
    .slice(1);

  test("is written down", () => expect(promises.length).toBeGreaterThan(3));

  for (const promise of promises) {
    test(`names its tests: ${promise.slice(0, 60).replaceAll(/\s+/g, " ").trim()}`, () => {
      const page = { path: "", text: promise, blocks: [], prose: promise };
      const files = namedFiles(page).filter((file) => file.startsWith("tests/"));
      expect(files.length).toBeGreaterThan(0);
      expect(files.filter((file) => !exists(file))).toEqual([]);
    });
  }
});

function sectionOf(path: string, heading: string): string {
  const [, after = ""] = (byPath.get(path)?.text ?? "").split(`\n## ${heading}\n`);
  return after.split("\n## ")[0] ?? "";
}
