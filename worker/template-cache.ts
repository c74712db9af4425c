// Compiled playbook texts of a worker, by text. Only text that came from a playbook is ever
// compiled here; data never is.

import { templateCacheCharsMax, templateCacheEntriesMax } from "#core/model/limits";
import { keychainNames } from "#core/playbook/keychain-reads";
import {
  compileExpression,
  compileTemplate,
  isTemplate,
  secretRoot,
  type Template,
} from "#core/playbook/template";

export interface CompiledText {
  readonly template: Template;
  /** The entries of the keychain that it reads; undefined for one that its text doesn't name. */
  readonly keychain: readonly (string | undefined)[];
  /** Whether it asks for the token of a credential. */
  readonly readsToken: boolean;
}

export interface TemplateCache {
  /** A text with tags. @throws TemplateSyntaxError */
  template(text: string): CompiledText;
  /** A condition: with tags or as a bare expression. @throws TemplateSyntaxError */
  expression(text: string): CompiledText;
}

export interface TemplateCacheBounds {
  readonly entriesMax?: number;
  readonly charsMax?: number;
}

/** An empty cache; what was compiled longest ago makes room for what is new. */
export function templateCache(bounds: TemplateCacheBounds = {}): TemplateCache {
  const { entriesMax = templateCacheEntriesMax, charsMax = templateCacheCharsMax } = bounds;
  const templates = new Map<string, CompiledText>();
  const expressions = new Map<string, CompiledText>();
  let chars = 0;

  const makeRoom = (cache: Map<string, CompiledText>): void => {
    for (const text of cache.keys()) {
      if (cache.size <= entriesMax && chars <= charsMax) return;
      cache.delete(text);
      chars -= text.length;
    }
  };

  const compiled = (
    cache: Map<string, CompiledText>,
    text: string,
    compile: (text: string) => Template,
  ): CompiledText => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const template = compile(text);
    const keychain = keychainNames(template.reads);
    const readsToken = template.reads.some(({ root }) => root === secretRoot);
    const entry = { template, keychain, readsToken };
    if (text.length > charsMax) return entry;
    cache.set(text, entry);
    chars += text.length;
    makeRoom(cache);
    return entry;
  };

  return {
    template: (text) => compiled(templates, text, compileTemplate),
    expression: (text) =>
      // With tags both languages are one: such a text is compiled once.
      isTemplate(text)
        ? compiled(templates, text, compileTemplate)
        : compiled(expressions, text, compileExpression),
  };
}
