// Playbooks of older forms made at random, written in every layout that YAML has for them: block
// and flow, several widths, comments wherever one may stand.

import fc from "fast-check";
import { Document, isCollection, isMap, isScalar, isSeq, visit } from "yaml";

type Value =
  | null
  | boolean
  | number
  | string
  | readonly Value[]
  | { readonly [key: string]: Value };
type Mapping = { [key: string]: Value };

/** A stream of small choices, from which a playbook and its layout are made. */
interface Choices {
  /** A whole number below `count`. */
  below(count: number): number;
  one<Item>(...items: readonly [Item, ...Item[]]): Item;
  sometimes(): boolean;
}

function choicesOf(numbers: readonly number[]): Choices {
  let at = 0;
  const below = (count: number): number => (numbers[at++ % numbers.length] ?? 0) % count;
  return {
    below,
    one: (...items) => items[below(items.length)] ?? items[0],
    sometimes: () => below(3) === 0,
  };
}

const names = ["start", "a", "b", "step c", "end"] as const;

function nextOf(choose: Choices): Value {
  const name = () => choose.one(...names);
  const arc = (): Mapping => ({
    step: name(),
    ...(choose.sometimes() ? { when: choose.one<Value>("x > 1", '{{ a == "b" }}', true) } : {}),
    ...(choose.sometimes()
      ? { [choose.one("args", "input")]: { page: "{{ output.page }}", "x-y": 1 } }
      : {}),
    ...(choose.sometimes() ? { set: { "ctx.seen": true } } : {}),
  });
  switch (choose.below(6)) {
    case 0:
      return name();
    case 1:
      return [name(), name()];
    case 2:
      return [arc(), name(), arc()];
    case 3:
      return arc();
    case 4:
      return { spec: { next_mode: choose.one("exclusive", "inclusive") }, arcs: [arc()] };
    default:
      return { arcs: [arc(), arc()] };
  }
}

function toolOf(choose: Choices): Mapping {
  const code = "if a:\n    result = 1  # not a comment\n\nelse:\n  result = 2\n";
  const tool: Mapping =
    choose.below(2) === 0
      ? { kind: "http", [choose.one("url", "endpoint")]: "https://example.org/a, b" }
      : { kind: "python", code };
  if (choose.sometimes()) tool["args"] = { a: "{{ 1 }}", text: "two\nlines" };
  switch (choose.below(5)) {
    case 0:
      tool["retry"] = { max_attempts: 3, initial_delay: 1, backoff_multiplier: 2 };
      break;
    case 1:
      tool["eval"] = [
        { expr: "{{ outcome.status == 'error' }}", do: "retry", set_ctx: { n: "{{ outcome }}" } },
        { else: { do: "continue" } },
      ];
      break;
    case 2:
      // biome-ignore lint/suspicious/noThenProperty: the language calls the key so.
      tool["spec"] = { policy: { rules: [{ else: null, then: { do: "fail" } }] } };
      break;
    default:
      break;
  }
  if (choose.sometimes() && tool["spec"] === undefined) tool["spec"] = { timeout: 3 };
  return tool;
}

function stepOf(name: string, choose: Choices): Mapping {
  const step: Mapping = { step: name };
  if (choose.sometimes()) step["desc"] = "what it does: all, of it";
  if (choose.sometimes()) step[choose.one("args", "input")] = { page: 1 };
  step["tool"] =
    choose.below(2) === 0
      ? toolOf(choose)
      : [
          { fetch: toolOf(choose) },
          { name: "store", ...toolOf(choose) },
          { "third one": toolOf(choose) },
        ];
  if (choose.sometimes()) {
    step["spec"] = {
      next_mode: choose.one("exclusive", "inclusive"),
      ...(choose.sometimes() ? { timeout: 60 } : {}),
    };
  }
  if (!choose.sometimes()) step["next"] = nextOf(choose);
  if (choose.sometimes()) step["set"] = { done: true };
  return step;
}

function laidOut(playbook: Mapping, choose: Choices): string {
  const document = new Document(playbook);
  let count = 0;
  visit(document, {
    Node: (key, node) => {
      if (isCollection(node) && choose.below(4) === 0) node.flow = true;
      if (key === "key" || choose.below(5) !== 0) return;
      if (isScalar(node) && !String(node.value).includes("\n")) node.comment = ` behind ${count++}`;
      if ((isMap(node) || isSeq(node)) && key !== "value")
        node.commentBefore = ` before ${count++}`;
    },
    Pair: (_, pair) => {
      const { key } = pair;
      if (isScalar(key) && choose.below(6) === 0) key.commentBefore = ` above ${count++}`;
    },
  });
  const text = document.toString({
    indent: choose.one(2, 4),
    indentSeq: choose.below(2) === 0,
    lineWidth: choose.one(0, 80),
    flowCollectionPadding: choose.below(2) === 0,
  });
  return choose.below(4) === 0 ? text.replaceAll("\n", "\r\n") : text;
}

/** Texts of playbooks that hold older forms. */
export const olderPlaybooks: fc.Arbitrary<string> = fc
  .array(fc.nat(59), { minLength: 40, maxLength: 400 })
  .map((numbers) => {
    const choose = choicesOf(numbers);
    const playbook: Mapping = {
      apiVersion: choose.one("noetl.io/v10", "noetl.io/v2"),
      kind: "Playbook",
      metadata: { name: "random" },
      workload: { next: ["a"], args: { b: 1 } },
      workflow: names.map((name) => stepOf(name, choose)),
    };
    return laidOut(playbook, choose);
  });
