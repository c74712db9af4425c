// The vocabulary in which the playbook language is described (language.ts, tool-fields.ts). One
// description serves the check, the JSON Schema and its hover texts; it says nothing of meaning
// across fields, which is check.ts.

import { unreachable } from "#core/model/fault";
import { stepNameCharsMax } from "#core/model/limits";

/** How the strings of a value are used: not at all, as templates, or as conditions. */
export type TemplateUse = "none" | "template" | "condition";

export interface TextShape {
  readonly is: "text";
  readonly allowed?: readonly string[];
  /** Values of the language that this version has no part for. */
  readonly unsupported?: readonly string[];
  readonly charsMax?: number;
  readonly pattern?: { readonly source: string; readonly says: string };
  readonly templates: TemplateUse;
}

export interface NumberShape {
  readonly is: "number";
  readonly whole?: boolean;
  readonly min?: number;
  /** A text with a template may stand for the number. */
  readonly orTemplate?: boolean;
}

export interface FlagShape {
  readonly is: "flag";
  readonly orTemplate?: boolean;
}

/** Anything that JSON can say. */
export interface DataShape {
  readonly is: "data";
  readonly templates: TemplateUse;
}

/** A map whose keys are the author's own. */
export interface MapShape {
  readonly is: "map";
  readonly keys?: { readonly source: string; readonly says: string };
  readonly templates: TemplateUse;
  readonly orTemplate?: boolean;
}

export interface ListShape {
  readonly is: "list";
  readonly items: Shape;
  readonly itemsMin?: number;
  /** A single text stands for a list of one. */
  readonly orSingle?: boolean;
  readonly orTemplate?: boolean;
}

/** A condition: text (an expression, or a template), or a plain true or false. */
export interface ConditionShape {
  readonly is: "condition";
}

export interface RecordShape {
  readonly is: "record";
  /** What messages call it: `step`, `arc`. */
  readonly noun: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Keys of older forms, with the form to use instead. */
  readonly older?: Readonly<Record<string, string>>;
  /** Keys of older forms that are rewritten before the check (older-forms.ts): for editors. */
  readonly rewritten?: Readonly<Record<string, Field>>;
  /** Older forms that are rewritten before the check, in place of the whole map: for editors. */
  readonly olderShapes?: readonly OlderShape[];
  /** Keys that are refused, with what to use instead. */
  readonly refused?: Readonly<Record<string, string>>;
  /** Keys of the language that this version has no part for. */
  readonly unsupported?: readonly string[];
  /** Keys nobody described: refused, kept with a warning, or kept. */
  readonly others: "refuse" | "warn" | "keep";
  /** What to say when another type stands in place of the map, by the type found. */
  readonly instead?: { readonly text?: string; readonly list?: string };
}

/** A form that is no longer written, and what it is. */
export interface OlderShape {
  readonly shape: Shape;
  readonly says: string;
}

/** Keys that stand among others in a record but are described apart from them. */
export type RecordKeys = Required<Pick<RecordShape, "fields" | "unsupported">>;

/** One of several shapes of different JSON types; the type found decides which is meant. */
export interface EitherShape {
  readonly is: "either";
  readonly options: readonly Shape[];
}

/** One tool call: a record chosen by its `kind`. */
export interface ToolShape {
  readonly is: "tool";
}

export type Shape =
  | TextShape
  | NumberShape
  | FlagShape
  | DataShape
  | MapShape
  | ListShape
  | ConditionShape
  | RecordShape
  | EitherShape
  | ToolShape;

export interface Field {
  readonly shape: Shape;
  /** One sentence for people, shown by editors. */
  readonly says: string;
  readonly required?: boolean;
  /** Says something by being there, also without a value. */
  readonly mayBeEmpty?: boolean;
  /** Accepted, without effect: a warning that says why. */
  readonly ignored?: string;
  /** Of an older form that goes on working: editors strike it through. */
  readonly deprecated?: true;
}

export const text: TextShape = { is: "text", templates: "none" };
export const templated: TextShape = { is: "text", templates: "template" };
export const data: DataShape = { is: "data", templates: "none" };
export const templatedData: DataShape = { is: "data", templates: "template" };
export const dataMap: MapShape = { is: "map", templates: "none" };
export const templatedMap: MapShape = { is: "map", templates: "template" };
export const flag: FlagShape = { is: "flag" };
/** The name of a step, a task and the like. */
export const name: TextShape = { is: "text", charsMax: stepNameCharsMax, templates: "none" };
/** Dotted names; the first part may be the scope `ctx`, `iter` or `step`. */
export const setMap: MapShape = {
  is: "map",
  keys: {
    source: "^[\\p{L}_][\\p{L}\\p{N}_-]*(\\.[\\p{L}_][\\p{L}\\p{N}_-]*)*$",
    says: "a name such as total or ctx.total",
  },
  templates: "template",
};
export const condition: ConditionShape = { is: "condition" };

export function oneOf(...allowed: readonly string[]): TextShape {
  return { is: "text", allowed, templates: "none" };
}

export function listOf(items: Shape): ListShape {
  return { is: "list", items };
}

export function either(...options: readonly Shape[]): EitherShape {
  return { is: "either", options };
}

/** What a shape wants, for "expected …". */
export function wanted(shape: Shape): string {
  const orTemplate = "orTemplate" in shape && shape.orTemplate === true ? " or a template" : "";
  switch (shape.is) {
    case "text":
      if (shape.allowed !== undefined) return orList(shape.allowed);
      return shape.pattern?.says ?? "text";
    case "number":
      return `${numberWanted(shape.whole === true, shape.min)}${orTemplate}`;
    case "flag":
      return `true or false${orTemplate}`;
    case "data":
      return "a value";
    case "map":
    case "record":
      return `a map${orTemplate}`;
    case "list":
      return `a list${shape.orSingle === true ? " or a single text" : ""}${orTemplate}`;
    case "condition":
      return "an expression, true or false";
    case "either":
      return orList(shape.options.map(wanted));
    case "tool":
      return "a map with a kind";
    default:
      return unreachable(shape);
  }
}

/** `a`, `a or b`, `a, b or c`. */
export function orList(words: readonly string[]): string {
  const last = words[words.length - 1] ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

function numberWanted(whole: boolean, min: number | undefined): string {
  const noun = whole ? "a whole number" : "a number";
  return min === undefined ? noun : `${noun} of at least ${min}`;
}
