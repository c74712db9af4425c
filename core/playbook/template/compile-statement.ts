// Turns statements into closures that print to the run, and manages the names they bind. Loops and
// macros are compiled beside it.

import { templateOutputCharsMax } from "#core/model/limits";
import {
  type Bindings,
  becomeCertain,
  bindName,
  clearSlots,
  forgetBranch,
  openBindings,
  readName,
  resolve,
} from "./bindings.ts";
import { compileBlockFilter } from "./compile-call.ts";
import { type Context, compileNode, placeOf } from "./compile-expression.ts";
import { compileFor } from "./compile-loop.ts";
import { compileCallBlock, compileMacro } from "./compile-macro.ts";
import { plain } from "./contract.ts";
import { Namespace } from "./loop.ts";
import { textOf } from "./print.ts";
import { type Evaluate, fail, type Place, type Run, spendChars } from "./run.ts";
import type { FilterExpression, Statement, Target } from "./syntax.ts";
import { itemsOf, truthOf } from "./values.ts";

export type Execute = (run: Run) => void;
export type Node<Kind extends Statement["kind"]> = Extract<Statement, { readonly kind: Kind }>;

/** One closure for a body of statements. */
export function compileBody(statements: readonly Statement[], context: Context): Execute {
  const executes = statements.map((statement) => compileStatement(statement, context));
  const [first, second] = executes;
  if (first === undefined) return () => {};
  if (second === undefined) return first;
  return (run) => {
    for (const execute of executes) execute(run);
  };
}

function compileStatement(statement: Statement, context: Context): Execute {
  const { collected } = context;
  collected.level++;
  const execute = compileKind(statement, context);
  collected.level--;
  return execute;
}

function compileKind(statement: Statement, context: Context): Execute {
  switch (statement.kind) {
    case "text": {
      const { text } = statement;
      return (run) => print(run, text);
    }
    case "output":
      return compileOutput(statement, context);
    case "if":
      return compileIf(statement, context);
    case "for":
      return compileFor(statement, context);
    case "set": {
      const value = compileNode(statement.value, context).evaluate;
      const assign = compileTarget(statement.target, context);
      return (run) => assign(run, value(run));
    }
    case "set-attribute":
      return compileSetAttribute(statement, context);
    case "capture":
      return compileCapture(statement, context);
    case "with":
      return compileWith(statement, context);
    case "macro":
      return compileMacro(statement, context);
    case "call-block":
      return compileCallBlock(statement, context);
    default: {
      const none: never = statement;
      return none;
    }
  }
}

export function print(run: Run, text: string): void {
  run.out += text;
  if (run.out.length > templateOutputCharsMax) {
    fail(run, "limit", `the template prints more than ${templateOutputCharsMax} characters`);
  }
}

function compileOutput({ expression }: Node<"output">, context: Context): Execute {
  const { evaluate } = compileNode(expression, context);
  return printing(evaluate, placeOf(context, expression.start, [expression]));
}

/** Prints the text of a value. */
export function printing(evaluate: Evaluate, place: Place): Execute {
  return (run) => {
    const value = evaluate(run);
    run.place = place;
    const text = textOf(value, run);
    spendChars(run, text.length);
    print(run, text);
  };
}

/** Names set in a branch may be unset after it; what was certain before it stays certain. */
function compileIf(statement: Node<"if">, context: Context): Execute {
  const { bindings } = context;
  const branches = statement.branches.map((branch) => ({
    condition: compileNode(branch.condition, context).evaluate,
    body: inBranch(bindings, () => compileBody(branch.body, context)),
  }));
  const otherwise = inBranch(bindings, () => compileBody(statement.otherwise, context));
  return (run) => {
    for (const { condition, body } of branches) {
      if (truthOf(condition(run), run)) {
        body(run);
        return;
      }
    }
    otherwise(run);
  };
}

function inBranch(bindings: Bindings, compile: () => Execute): Execute {
  const before = bindings.certain.size;
  const execute = compile();
  if (bindings.certain.size > before) forgetBranch(bindings, before);
  return execute;
}

type Assign = (run: Run, value: unknown) => void;

/** Binds the names of a target; from here on they are certain. */
export function compileTarget(target: Target, context: Context): Assign {
  const { bindings, collected } = context;
  const slots = target.names.map((name) => bindName(bindings, name));
  for (const name of target.names) becomeCertain(bindings, name, collected);
  const [slot] = slots;
  if (!target.unpack && slot !== undefined) {
    return (run, value) => {
      run.slots[slot] = value;
    };
  }
  const place = placeOf(context, target.offset, []);
  return (run, value) => unpack(run, value, { slots, place });
}

function unpack(
  run: Run,
  value: unknown,
  { slots, place }: { readonly slots: readonly number[]; readonly place: Place },
): void {
  run.place = place;
  const items = itemsOf(value, run);
  if (items.length !== slots.length) {
    fail(run, "type", `${slots.length} names can't take ${items.length} values`);
  }
  for (const [index, slot] of slots.entries()) run.slots[slot] = items[index];
}

function compileSetAttribute(statement: Node<"set-attribute">, context: Context): Execute {
  const { name, attribute } = statement;
  const value = compileNode(statement.value, context).evaluate;
  const read = readName(name, resolve(context.bindings, name));
  const place = placeOf(context, statement.offset, []);
  return (run) => {
    const namespace = read(run);
    const given = plain(value(run));
    run.place = place;
    if (!(namespace instanceof Namespace)) {
      fail(run, "type", `'${name}' is not a namespace(), its attributes can't be set`);
    }
    namespace.set(attribute, given);
  };
}

/** The text that a body prints, through filters, set to a name or printed. */
function compileCapture(statement: Node<"capture">, context: Context): Execute {
  const { collected } = context;
  const bindings = openBindings(context.bindings);
  const body = compileBody(statement.body, { collected, bindings });
  const own = [...bindings.slots.values()];
  const capture: Evaluate = (run) => {
    const before = run.out;
    run.out = "";
    clearSlots(run, own);
    body(run);
    const text = run.out;
    run.out = before;
    return text;
  };
  const value = statement.filters.reduce(
    (inner: Evaluate, filter: FilterExpression) => compileBlockFilter(filter, inner, context),
    capture,
  );
  if (statement.name === undefined) return (run) => print(run, textOf(value(run), run));
  const target = { names: [statement.name], unpack: false, offset: 0 };
  const assign = compileTarget(target, context);
  return (run) => assign(run, value(run));
}

/** All values of a `with` are computed before any of its names is bound. */
function compileWith(statement: Node<"with">, context: Context): Execute {
  const values = statement.bindings.map(({ value }) => compileNode(value, context).evaluate);
  const inner = { collected: context.collected, bindings: openBindings(context.bindings) };
  const assigns = statement.bindings.map(({ target }) => compileTarget(target, inner));
  const body = compileBody(statement.body, inner);
  const own = [...inner.bindings.slots.values()];
  return (run) => {
    const given = values.map((value) => value(run));
    clearSlots(run, own);
    for (const [index, assign] of assigns.entries()) assign(run, given[index]);
    body(run);
  };
}
