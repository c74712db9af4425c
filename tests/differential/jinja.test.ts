// The template language against Jinja2 itself: what agrees, what differs on purpose, and random
// expressions. Needs python3 with jinja2.

import { beforeAll, describe, expect, test } from "bun:test";
import { compileTemplate, isTemplate } from "#core/playbook/template";
import { context, groups } from "./jinja-cases.ts";
import { differences } from "./jinja-differences.ts";
import { randomTemplates } from "./jinja-random.ts";

const script = `${import.meta.dir}/jinja-reference.py`;
const randomSeed = 20_260_131;
const randomCount = 1_000;
const askingTimeoutMs = 120_000;

interface Answer {
  readonly text?: string;
  readonly error?: string;
  readonly value?: unknown;
}

function hasJinja(): boolean {
  if (Bun.which("python3") === null) return false;
  return Bun.spawnSync(["python3", "-c", "import jinja2"]).exitCode === 0;
}

/** Jinja2's answers to all templates of this file, from one process. */
function askJinja(): ReadonlyMap<string, Answer> {
  const templates = [
    ...Object.values(groups).flat(),
    ...differences.flatMap(({ examples }) => examples.map(([template]) => template)),
    ...randomTemplates(randomSeed, randomCount),
  ];
  const lines = templates.map((template) => JSON.stringify({ template, context }));
  const { stdout, stderr, exitCode } = Bun.spawnSync(["python3", script], {
    stdin: new TextEncoder().encode(`${lines.join("\n")}\n`),
  });
  if (exitCode !== 0) throw new Error(`the reference failed: ${stderr.toString()}`);
  const replies = stdout.toString().trimEnd().split("\n");
  if (replies.length !== templates.length) throw new Error("the reference left templates out");
  return new Map(templates.map((template, index) => [template, JSON.parse(replies[index] ?? "")]));
}

let answers: ReadonlyMap<string, Answer> = new Map();

function reference(templates: readonly string[]): readonly Answer[] {
  return templates.map((template) => answers.get(template) ?? {});
}

const scope = {
  get: (name: string): unknown =>
    Object.hasOwn(context, name) ? Reflect.get(context, name) : undefined,
};

/** Our printed text, forced by a character before it, or the error. */
function ours(template: string): Answer {
  try {
    const value = compileTemplate(template).evaluate(scope, { nowMs: 0 });
    const tagged = isTemplate(template);
    if (!tagged) return { text: String(value) };
    const printed = compileTemplate(`|${template}`).evaluate(scope, { nowMs: 0 });
    return { text: String(printed).slice(1), value };
  } catch (error) {
    if (error instanceof Error && error.name.startsWith("Template")) return { error: error.name };
    throw error;
  }
}

/** Whole floats as integers: the one difference that turns up everywhere. */
function withoutPointZero(text: string | undefined): string | undefined {
  return text?.replace(/(\d)\.0(?!\d)/g, "$1");
}

function outcome(answer: Answer): string {
  return answer.error === undefined ? `text ${withoutPointZero(answer.text)}` : "error";
}

/** Integers beyond 2^53, which JSON.parse of the reference's answer has rounded, are left out. */
function comparable(value: unknown): boolean {
  return typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value);
}

const suite = hasJinja() ? describe : describe.skip;

suite("templates agree with Jinja2 (skipped without python3-jinja2: apt install it)", () => {
  beforeAll(() => {
    answers = askJinja();
  }, askingTimeoutMs);

  for (const [group, templates] of Object.entries(groups)) {
    test(`in ${templates.length} templates with ${group}`, () => {
      const replies = reference(templates);
      const found = templates.map((template) => ({ template, result: outcome(ours(template)) }));
      const wanted = templates.map((template, index) => ({
        template,
        result: outcome(replies[index] ?? {}),
      }));
      expect(found).toEqual(wanted);
    });

    test(`in the values of lone expressions with ${group}`, () => {
      const replies = reference(templates);
      for (const [index, template] of templates.entries()) {
        const { value } = replies[index] ?? {};
        if (value === undefined || !comparable(value)) continue;
        expect([template, ours(template).value ?? null]).toEqual([template, value]);
      }
    });
  }

  test(`in ${randomCount} random templates`, () => {
    const templates = randomTemplates(randomSeed, randomCount);
    const replies = reference(templates);
    const found = templates.map((template) => ({ template, result: outcome(ours(template)) }));
    const wanted = templates.map((template, index) => ({
      template,
      result: outcome(replies[index] ?? {}),
    }));
    expect(found).toEqual(wanted);
  });

  for (const { name, examples } of differences) {
    test(`but for ${name}, which really differs`, () => {
      const replies = reference(examples.map(([template]) => template));
      for (const [index, [template, expected]] of examples.entries()) {
        const answer = replies[index] ?? {};
        const mine = ours(template);
        expect({ template, result: mine.error === undefined ? mine.text : "error" }).toEqual({
          template,
          result: expected,
        });
        expect({ template, jinja: answer.error === undefined ? answer.text : "error" }).not.toEqual(
          {
            template,
            jinja: expected,
          },
        );
      }
    });
  }
});
