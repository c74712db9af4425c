// Holds a value against its shape and reports every difference: wrong types, unknown and older
// keys, missing ones, and templates that don't parse. Never stops at the first.

import { unreachable } from "#core/model/fault";
import type { Json } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { checkToolFields } from "./check-tool.ts";
import { type Findings, kindOf, type Place, quoted, type Trail } from "./problems.ts";
import {
  type Field,
  type ListShape,
  type MapShape,
  type NumberShape,
  type RecordShape,
  type Shape,
  type TemplateUse,
  type TextShape,
  wanted,
} from "./shape.ts";
import { compileExpression, isTemplate, secretRoot, TemplateSyntaxError } from "./template.ts";

/**
 * A key that is written without a value says nothing, as in the existing implementations. Where
 * any data may stand, null is a value.
 */
function countsAsAbsent({ required, mayBeEmpty, shape }: Field): boolean {
  return required !== true && mayBeEmpty !== true && shape.is !== "data";
}

export class ShapeChecker {
  /** What compiling a text said; playbooks repeat their conditions. */
  readonly #compiled = new Map<string, Compiled>();
  readonly #patterns = new Map<string, RegExp>();
  #secretsAllowed: SecretsAllowed = "none";

  constructor(readonly findings: Findings) {}

  check(value: Json, shape: Shape, trail: Trail | undefined): void {
    if ("orTemplate" in shape && shape.orTemplate === true && this.#standsIn(value, trail)) return;
    switch (shape.is) {
      case "text":
        return this.#text(value, shape, trail);
      case "number":
        return this.#number(value, shape, trail);
      case "flag":
        return typeof value === "boolean" ? undefined : this.#mismatch(value, shape, trail);
      case "data":
        return this.#templates(value, shape.templates, trail);
      case "map":
        return this.#map(value, shape, trail);
      case "list":
        return this.#list(value, shape, trail);
      case "condition":
        if (typeof value === "boolean") return undefined;
        if (typeof value !== "string") return this.#mismatch(value, shape, trail);
        return this.#compile(value, "condition", trail);
      case "record":
        return this.record(value, shape, trail);
      case "either": {
        const option = shape.options.find((candidate) => fits(value, candidate));
        return option === undefined
          ? this.#mismatch(value, shape, trail)
          : this.check(value, option, trail);
      }
      case "tool":
        return isJsonObject(value)
          ? checkToolFields(value, trail, this)
          : this.#mismatch(value, shape, trail);
      default:
        return unreachable(shape);
    }
  }

  record(value: Json, shape: RecordShape, trail: Trail | undefined): void {
    if (!isJsonObject(value)) {
      const form = Array.isArray(value) ? shape.instead?.list : shape.instead?.text;
      if (form === undefined || (!Array.isArray(value) && typeof value !== "string")) {
        return this.#mismatch(value, shape, trail);
      }
      return this.findings.error(trail, `${this.#nameOf(trail)} as ${kindOf(value)} ${form}`);
    }
    for (const [key, item] of Object.entries(value)) this.#field(key, item, shape, trail);
    for (const [key, field] of Object.entries(shape.fields)) {
      if (field.required === true && !Object.hasOwn(value, key)) {
        this.findings.keyError(
          trail,
          `${shape.noun} has no '${key}', expected ${wanted(field.shape)}`,
        );
      }
    }
  }

  /** Runs a check in which templates may ask for secrets, or may not. */
  withSecrets(allowed: boolean, check: () => void): void {
    this.#withSecrets(allowed ? "all" : "none", check);
  }

  #withSecrets(allowed: SecretsAllowed, check: () => void): void {
    const outer = this.#secretsAllowed;
    this.#secretsAllowed = allowed;
    check();
    this.#secretsAllowed = outer;
  }

  #field(key: string, value: Json, shape: RecordShape, parent: Trail | undefined): void {
    const trail: Trail = { parent, key };
    const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    if (field !== undefined) {
      if (field.ignored !== undefined) {
        this.findings.warn(trail, `${shape.noun} key '${key}' has no effect; ${field.ignored}`);
      }
      if (value === null && countsAsAbsent(field)) {
        return this.findings.warn(trail, `${shape.noun} key '${key}' is empty, it has no effect`);
      }
      const allowed = allowedIn(shape, key) ?? this.#secretsAllowed;
      return this.#withSecrets(allowed, () => this.check(value, field.shape, trail));
    }
    if (shape.older !== undefined && Object.hasOwn(shape.older, key)) {
      const form = `${shape.noun} key '${key}' is an older form; use ${shape.older[key]}`;
      return this.findings.keyError(trail, form);
    }
    if (shape.refused !== undefined && Object.hasOwn(shape.refused, key)) {
      const message = `${shape.noun} key '${key}' is not supported; use ${shape.refused[key]}`;
      return this.findings.keyError(trail, message);
    }
    if (shape.unsupported?.includes(key) === true) {
      const message = `${shape.noun} key '${key}' is not supported by this version`;
      return this.findings.keyError(trail, message);
    }
    if (shape.others === "keep") return undefined;
    const hint = this.findings.hint(key, Object.keys(shape.fields));
    const message = `unknown ${shape.noun} key ${quoted(key)}${hint}`;
    if (shape.others === "refuse") return this.findings.keyError(trail, message);
    this.findings.warn(trail, message);
    return this.#templates(value, "template", trail);
  }

  #text(value: Json, shape: TextShape, trail: Trail | undefined): void {
    if (typeof value !== "string") return this.#mismatch(value, shape, trail);
    if (shape.templates !== "none") return this.#compile(value, shape.templates, trail);
    if (shape.allowed !== undefined) {
      if (shape.allowed.includes(value)) return undefined;
      if (shape.unsupported?.includes(value) === true) {
        const message = `${this.#nameOf(trail)}: ${value} is not supported by this version`;
        return this.findings.error(trail, `${message}, expected ${wanted(shape)}`);
      }
      const hint = this.findings.hint(value, shape.allowed);
      const message =
        `${this.#nameOf(trail)} is ${quoted(value)}, ` + `expected ${wanted(shape)}${hint}`;
      return this.findings.error(trail, message);
    }
    if (shape.charsMax !== undefined) this.#name(value, shape.charsMax, trail);
    if (shape.pattern !== undefined && !this.#pattern(shape.pattern.source).test(value)) {
      const message = `${this.#nameOf(trail)} is ${quoted(value)}, expected ${shape.pattern.says}`;
      this.findings.error(trail, message);
    }
    return undefined;
  }

  /** Names of steps, tasks and the like: short, on one line, without space around them. */
  #name(value: string, charsMax: number, trail: Trail | undefined): void {
    const what = this.#nameOf(trail);
    if (value.trim() === "") {
      this.findings.error(trail, `${what} is empty, expected a name`);
    } else if (value.length > charsMax) {
      const message = `${what} has ${value.length} characters, expected at most ${charsMax}`;
      this.findings.error(trail, message);
    } else if (value.trim() !== value || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value)) {
      const message = `${what} has space around it or control characters, expected a plain name`;
      this.findings.error(trail, message);
    } else if (isTemplate(value)) {
      this.findings.error(trail, `${what} is a template, expected a plain name`);
    }
  }

  #number(value: Json, shape: NumberShape, trail: Trail | undefined): void {
    const fitting =
      typeof value === "number" &&
      (shape.whole !== true || Number.isInteger(value)) &&
      (shape.min === undefined || value >= shape.min);
    if (!fitting) this.#mismatch(value, shape, trail);
  }

  #map(value: Json, shape: MapShape, trail: Trail | undefined): void {
    if (!isJsonObject(value)) return this.#mismatch(value, shape, trail);
    if (shape.keys !== undefined) {
      const pattern = this.#pattern(shape.keys.source);
      for (const key of Object.keys(value)) {
        if (pattern.test(key)) continue;
        const message = `key ${quoted(key)} of ${this.#nameOf(trail)}, expected ${shape.keys.says}`;
        this.findings.keyError({ parent: trail, key }, message);
      }
    }
    return this.#templates(value, shape.templates, trail);
  }

  #list(value: Json, shape: ListShape, trail: Trail | undefined): void {
    if (typeof value === "string" && shape.orSingle === true) {
      return this.check(value, shape.items, trail);
    }
    if (!Array.isArray(value)) return this.#mismatch(value, shape, trail);
    if (value.length < (shape.itemsMin ?? 0)) {
      const message = `${this.#nameOf(trail)} is an empty list, expected at least one item`;
      return this.findings.error(trail, message);
    }
    for (let key = 0; key < value.length; key++) {
      this.check(value[key] as Json, shape.items, { parent: trail, key });
    }
    return undefined;
  }

  /** True if the value is a template in place of something else; its syntax is checked. */
  #standsIn(value: Json, trail: Trail | undefined): boolean {
    if (typeof value !== "string" || !isTemplate(value)) return false;
    this.#compile(value, "template", trail);
    return true;
  }

  /** Every template among the strings of a value, at any depth; keys are not rendered. */
  #templates(value: Json, use: TemplateUse, trail: Trail | undefined): void {
    if (use === "none") return;
    if (typeof value === "string") this.#compile(value, use, trail);
    else if (Array.isArray(value)) {
      for (let key = 0; key < value.length; key++) {
        this.#templates(value[key] as Json, use, { parent: trail, key });
      }
    } else if (isJsonObject(value)) {
      for (const key of Object.keys(value)) {
        if (isTemplate(key)) {
          const message = "a key is never rendered: its template stays text";
          this.findings.warn({ parent: trail, key }, message);
        }
        this.#templates(value[key] as Json, use, { parent: trail, key });
      }
    }
  }

  #compile(source: string, use: "template" | "condition", trail: Trail | undefined): void {
    if (use === "template" && !isTemplate(source)) return;
    const known = this.#compiled.get(source);
    const compiled = known ?? compiledOf(source);
    if (known === undefined) this.#compiled.set(source, compiled);
    const { error, token, keychain } = compiled;
    if (error !== undefined) {
      const place: Place = { at: "text", offset: error.offset };
      this.findings.error(trail, `template: ${error.message}`, place);
    } else if (token && this.#secretsAllowed !== "all") {
      this.findings.error(trail, forTools("token()"));
    } else if (keychain && this.#secretsAllowed === "none") {
      this.findings.error(trail, forTools("keychain"));
    }
  }

  #pattern(source: string): RegExp {
    const known = this.#patterns.get(source) ?? new RegExp(source, "u");
    this.#patterns.set(source, known);
    return known;
  }

  #mismatch(value: Json, shape: Shape, trail: Trail | undefined): void {
    const shown = typeof value === "number" ? String(value) : kindOf(value);
    this.findings.error(trail, `${this.#nameOf(trail)} is ${shown}, expected ${wanted(shape)}`);
  }

  /** What a message calls the value at a place: its nearest key, or the item of a list. */
  #nameOf(trail: Trail | undefined): string {
    if (trail === undefined) return "the document";
    if (typeof trail.key === "string") return quoted(trail.key);
    return `item ${trail.key + 1} of ${this.#nameOf(trail.parent)}`;
  }
}

/** Secrets that templates may ask for at a place: entries of the keychain, tokens too, or none. */
type SecretsAllowed = "none" | "keychain" | "all";

/** Where that changes; elsewhere it is as in the map around. */
function allowedIn({ noun }: RecordShape, key: string): SecretsAllowed | undefined {
  // What is set, and what rules decide, is written into the log.
  if (key === "set" || key === "policy") return "none";
  if (noun === "keychain entry") return "keychain";
  if (noun === "loop" && key === "cursor") return "keychain";
  return noun === "step" && key === "input" ? "keychain" : undefined;
}

function forTools(what: string): string {
  return `${what} is for fields of tools: a secret must not reach the log`;
}

interface Compiled {
  readonly error: TemplateSyntaxError | undefined;
  /** Whether it asks for the token of a credential. */
  readonly token: boolean;
  /** Whether it reads an entry of the keychain. */
  readonly keychain: boolean;
}

/** A text with braces is a template, any other one an expression: one compiler knows both. */
function compiledOf(source: string): Compiled {
  try {
    const { reads } = compileExpression(source);
    return {
      error: undefined,
      token: reads.some(({ root }) => root === secretRoot),
      keychain: reads.some(({ root }) => root === "keychain"),
    };
  } catch (thrown) {
    if (!(thrown instanceof TemplateSyntaxError)) throw thrown;
    return { error: thrown, token: false, keychain: false };
  }
}

/** Whether a value is of the JSON type that a shape is about. */
function fits(value: Json, shape: Shape): boolean {
  switch (shape.is) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "flag":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "map":
    case "record":
    case "tool":
      return isJsonObject(value);
    default:
      return true;
  }
}
