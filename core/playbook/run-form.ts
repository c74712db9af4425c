// The form that a playbook can be run with: a field for every key of its workload, from the default
// that stands there and the comments beside it. Comments may say more than a default can:
// `# ui:secret`, `# ui:enum=[a, b]`, `# ui:credential=pg_*`, `# ui:description=…`; one without such a
// word is the field's description (language reference: the form of the console).

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { Findings } from "./problems.ts";
import { commentsIn, readYaml } from "./read-yaml.ts";
import type { PairNode, Tree } from "./tree.ts";

export type FieldKind =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  | "object"
  | "array"
  | "null"
  | "enum";

export interface FormField {
  readonly name: string;
  readonly kind: FieldKind;
  /** Never that of a secret. */
  readonly default: Json;
  readonly description: string;
  readonly secret: boolean;
  /** Which credentials may be chosen, if it takes the name of one. */
  readonly credential_glob: string | null;
  /** Of an `enum`. */
  readonly options: readonly Json[];
  /** Of an `object`, by its default. */
  readonly children: readonly FormField[];
}

export interface RunForm {
  readonly title: string;
  readonly description: string;
  readonly fields: readonly FormField[];
}

const emptyForm: RunForm = { title: "", description: "", fields: [] };

/** Of any text; one that is no playbook has a form without fields. Never throws. */
export function runForm(source: string): RunForm {
  const tree = readYaml(source, new Findings());
  if (tree?.whole !== true || !isJsonObject(tree.value)) return emptyForm;
  const { metadata, workload } = tree.value;
  const about = isJsonObject(metadata) ? metadata : {};
  const title = textOf(about["title"]) ?? textOf(about["name"]) ?? "";
  const description = textOf(about["description"]) ?? "";
  if (!isJsonObject(workload)) return { title, description, fields: [] };
  const remarks = remarksIn(source, tree);
  const fields = Object.entries(workload).map(([name, value]) =>
    fieldOf(name, value, remarks.get(name) ?? noRemark),
  );
  return { title, description, fields };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What the comments beside a key say. */
interface Remark {
  readonly description: string;
  readonly secret: boolean;
  readonly credential: string | undefined;
  readonly options: readonly string[] | undefined;
}

const noRemark: Remark = {
  description: "",
  secret: false,
  credential: undefined,
  options: undefined,
};

const secretName = /(?:^|[_-])(?:password|passwd|secret|token|api[_-]?key|private[_-]?key)$/i;

function fieldOf(name: string, value: Json, remark: Remark): FormField {
  const secret = remark.secret || (typeof value === "string" && secretName.test(name));
  const children = isJsonObject(value) && !secret ? childrenOf(value) : [];
  const options = (remark.options ?? []).map((option) => optionLike(option, value));
  return {
    name,
    kind: remark.options === undefined ? kindOf(value) : "enum",
    default: secret ? null : isJsonObject(value) ? defaultsOf(children) : value,
    description: remark.description,
    secret,
    credential_glob: remark.credential ?? null,
    options,
    children,
  };
}

function childrenOf(value: JsonObject): readonly FormField[] {
  return Object.entries(value).map(([name, child]) => fieldOf(name, child, noRemark));
}

/** Without those of secrets. */
function defaultsOf(fields: readonly FormField[]): JsonObject {
  return Object.fromEntries(fields.map((field) => [field.name, field.default]));
}

function kindOf(value: Json): FieldKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "number":
      return Number.isInteger(value) ? "integer" : "number";
    case "string":
      return "string";
    default:
      return "object";
  }
}

/** A choice is written as text; it is what the default is, where it can be. */
function optionLike(option: string, value: Json): Json {
  if (typeof value === "number") {
    const number = Number(option);
    return option !== "" && Number.isFinite(number) ? number : option;
  }
  if (typeof value === "boolean" && (option === "true" || option === "false")) {
    return option === "true";
  }
  return option;
}

// --- comments -----------------------------------------------------------------------------

function remarksIn(source: string, tree: Tree): ReadonlyMap<string, Remark> {
  const comments = Map.groupBy(
    commentsIn(source).map(({ from, to }) => ({ from, text: source.slice(from + 1, to).trim() })),
    ({ from }) => lineOf(source, from),
  );
  const remarks = new Map<string, Remark>();
  for (const pair of workloadPairs(tree)) {
    if (!tree.kinds.isScalar(pair.key)) continue;
    const start = tree.startOf(pair.key);
    const beside = comments.get(lineOf(source, start))?.filter(({ from }) => from > start) ?? [];
    const said = [...linesAbove(source, start, comments), ...beside];
    remarks.set(String(pair.key.value), remarkOf(said.map(({ text }) => text)));
  }
  return remarks;
}

function workloadPairs(tree: Tree): readonly PairNode[] {
  const { node } = tree.find(["workload"]);
  return tree.kinds.isMap(node) ? node.items : [];
}

interface Comment {
  readonly from: number;
  readonly text: string;
}

/** Comments on lines of their own right above a key, in their order. */
function linesAbove(
  source: string,
  start: number,
  comments: ReadonlyMap<number, readonly Comment[]>,
): readonly Comment[] {
  const found: Comment[] = [];
  for (let line = lineOf(source, start); line > 0; ) {
    const above = lineOf(source, line - 1);
    const [comment] = comments.get(above) ?? [];
    if (comment === undefined || source.slice(above, comment.from).trim() !== "") break;
    found.unshift(comment);
    line = above;
  }
  return found;
}

/** Where the line begins that holds an offset. */
function lineOf(source: string, offset: number): number {
  return offset === 0 ? 0 : source.lastIndexOf("\n", offset - 1) + 1;
}

const word = /(?:^|\s)ui:([a-z_]+)(?:=(\[[^\]]*\]|"[^"]*"|'[^']*'|(?:(?!\sui:)[^\n])*))?/g;

function remarkOf(comments: readonly string[]): Remark {
  const plain: string[] = [];
  let remark: Remark = noRemark;
  for (const comment of comments) {
    const rest = comment.replace(word, (_whole, name: string, value = "") => {
      remark = { ...remark, ...said(name, unquoted(value.trim())) };
      return "";
    });
    if (rest.trim() !== "") plain.push(rest.trim());
  }
  if (remark.description !== "" || plain.length === 0) return remark;
  return { ...remark, description: plain.join(" ") };
}

function said(name: string, value: string): Partial<Remark> {
  switch (name) {
    case "secret":
      return { secret: value !== "false" };
    case "credential":
      return value === "" ? {} : { credential: value };
    case "description":
      return { description: value };
    case "enum":
      return { options: optionsIn(value) };
    default:
      return {};
  }
}

function optionsIn(text: string): readonly string[] {
  const inner = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  return inner
    .split(",")
    .map((option) => unquoted(option.trim()))
    .filter((option) => option !== "");
}

function unquoted(text: string): string {
  return /^(["']).*\1$/s.test(text) ? text.slice(1, -1) : text;
}

// --- as JSON Schema -----------------------------------------------------------------------

/** What the workload of a run may be, as JSON Schema: nothing is required, all has a default. */
export function workloadSchema({ fields }: Pick<RunForm, "fields">): JsonObject {
  return {
    type: "object",
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)])),
  };
}

function schemaOf(field: FormField): JsonObject {
  const { kind, description, secret, options, children } = field;
  const about: JsonObject = {
    ...(description === "" ? {} : { description }),
    ...(secret || field.default === null ? {} : { default: field.default }),
  };
  switch (kind) {
    case "enum":
      return { enum: [...options], ...about };
    case "null":
      return about;
    case "object":
      return children.length === 0
        ? { type: "object", ...about }
        : { ...workloadSchema({ fields: children }), ...about };
    case "string":
    case "integer":
    case "number":
    case "boolean":
    case "array":
      return { type: kind, ...about };
    default:
      return kind satisfies never;
  }
}
