// What a macro takes: its parameters, and the rest that its body asks for by name. The rules are
// those of Jinja2, whether a call is checked before it runs or when it does.

import { didYouMean } from "./suggest.ts";

/** Names that a macro has without declaring them: the call block, further arguments. */
export type SpecialName = "caller" | "kwargs" | "varargs";

export interface MacroShape {
  /** Undefined for the block of a `{% call %}`, which is known as `caller`. */
  readonly name: string | undefined;
  readonly parameters: readonly string[];
  /** Which of the special names its body reads. Mutable on purpose: known once it is compiled. */
  readonly uses: Set<SpecialName>;
}

/** What messages call it. */
function titleOf({ name }: MacroShape): string {
  return name === undefined ? "caller()" : `macro '${name}'`;
}

/** How a call does not fit; `position` or `name` says which argument is too much. */
export interface Misfit {
  readonly message: string;
  readonly position?: number;
  readonly name?: string;
}

/** The first argument that the macro does not take, if there is one. Missing ones are undefined. */
export function misfit(
  shape: MacroShape,
  positional: number,
  names: readonly string[],
): Misfit | undefined {
  const { parameters, uses } = shape;
  const title = titleOf(shape);
  const most = parameters.length;
  if (positional > most && !uses.has("varargs")) {
    const counted = most === 1 ? "1 argument" : `${most} arguments`;
    return { message: `${title} takes at most ${counted}`, position: most };
  }
  if (uses.has("kwargs")) return undefined;
  for (const name of names) {
    const index = parameters.indexOf(name);
    if (index >= positional) continue;
    if (index >= 0) return { message: `argument '${name}' of ${title} is given twice`, name };
    if (name !== "caller") {
      return { message: `${title} has no argument '${name}'${didYouMean(name, parameters)}`, name };
    }
    if (!uses.has("caller")) {
      return { message: `${title} does not use caller(), it can't be called with a block`, name };
    }
  }
  return undefined;
}
