// Gives a root name of templates another one: at the tokens of the template language, never by
// searching text, so that attributes, filters and words of strings stay.

import { type Token, tokenize, tokenizeExpression } from "#core/playbook/template/lexer";
import { isTemplate, TemplateSyntaxError } from "./template.ts";

export interface RootNames {
  readonly from: string;
  readonly to: string;
  /** Whether a text without braces is an expression; otherwise it is data. */
  readonly expression: boolean;
}

/** The text with the root name replaced; the text itself where it is no template that can be read. */
export function renameRoot(text: string, { from, to, expression }: RootNames): string {
  if (!text.includes(from)) return text;
  const template = isTemplate(text);
  if (!template && !expression) return text;
  const tokens = tokensOf(text, template);
  let out = "";
  let end = 0;
  tokens.forEach((token, index) => {
    if (token.kind !== "name" || token.value !== from || !isRoot(tokens, index)) return;
    out += text.slice(end, token.start) + to;
    end = token.end;
  });
  return out + text.slice(end);
}

function tokensOf(text: string, template: boolean): readonly Token[] {
  try {
    return template ? tokenize(text) : tokenizeExpression(text);
  } catch (thrown) {
    if (thrown instanceof TemplateSyntaxError) return [];
    throw thrown;
  }
}

/** Not an attribute, a filter, a test, or the name of an argument. */
function isRoot(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1]?.value;
  return before !== "." && before !== "|" && before !== "is" && tokens[index + 1]?.value !== "=";
}
