// Which names of a template are its own (bound by for, set, with, macro) and which it reads from
// the scope. Own names live in numbered slots, so evaluation looks nothing up by name.

import type { ReadPath } from "./contract.ts";
import type { MacroShape, SpecialName } from "./macro-shape.ts";
import type { Evaluate, Run } from "./run.ts";

/** What a slot holds until its name is set. */
export const unset: unique symbol = Symbol("unset");

/** What runs with slots of its own: the template, a macro, a recursive loop. Mutable on purpose. */
export interface FrameShape {
  slotCount: number;
}

/** The names bound in one body of the template, inside the body around it. */
export interface Bindings {
  readonly parent: Bindings | undefined;
  readonly frame: FrameShape;
  readonly slots: Map<string, number>;
  /** Names that are certainly set where the compiler stands, with the moment they became so. */
  readonly certain: Map<string, number>;
  /** The same names, in the order they became so. */
  readonly settled: string[];
  /** Names that one macro and nothing else was given in this body. */
  readonly macros: Map<string, MacroShape>;
  /** Where the body opens a frame: what became certain later may be unset when it runs. */
  readonly since: number;
  /** The macro whose body this is. */
  readonly macro: MacroShape | undefined;
}

/** Mutable on purpose: what the compiler collects from one template. */
export interface Collected {
  readonly source: string;
  readonly reads: Map<string, ReadPath>;
  /** Names of macros anywhere in the text, for the messages of calls that find none. */
  readonly macroNames: ReadonlySet<string>;
  /** What can be compiled only once all names of the bodies around are known. */
  readonly later: (() => void)[];
  /** Checks for when everything is compiled. */
  readonly checks: (() => void)[];
  usesEnvironment: boolean;
  /** Nesting of the expression and of the statement being compiled. */
  depth: number;
  level: number;
  /** Counts the moments at which names became certain. */
  moment: number;
}

export function openBindings(parent: Bindings): Bindings {
  return {
    parent,
    frame: parent.frame,
    slots: new Map(),
    certain: new Map(),
    settled: [],
    macros: new Map(),
    since: Number.POSITIVE_INFINITY,
    macro: undefined,
  };
}

/** A body with slots of its own; without a parent, the template as a whole. */
export function openFrame(
  parent: Bindings | undefined,
  collected: Collected,
  macro?: MacroShape,
): Bindings {
  return {
    parent,
    frame: { slotCount: 0 },
    slots: new Map(),
    certain: new Map(),
    settled: [],
    macros: new Map(),
    since: collected.moment++,
    macro,
  };
}

/** The slot of a name in this body, made at its first binding. */
export function bindName(bindings: Bindings, name: string): number {
  const known = bindings.slots.get(name);
  if (known !== undefined) {
    bindings.macros.delete(name);
    return known;
  }
  const slot = bindings.frame.slotCount++;
  bindings.slots.set(name, slot);
  return slot;
}

export function becomeCertain(bindings: Bindings, name: string, collected: Collected): void {
  if (bindings.certain.has(name)) return;
  bindings.certain.set(name, collected.moment++);
  bindings.settled.push(name);
}

/** Forgets what became certain while a branch was compiled: it may not be taken. */
export function forgetBranch({ certain, settled }: Bindings, settledBefore: number): void {
  for (const name of settled.splice(settledBefore)) certain.delete(name);
}

/** A slot of the running frame, or so many frames around it. */
interface SlotPlace {
  readonly hops: number;
  readonly slot: number;
}

export interface Resolution {
  /** Slots that may hold the name, innermost first. */
  readonly slots: readonly SlotPlace[];
  /** Whether the name can also come from the scope. */
  readonly free: boolean;
  /** The body in which it is certainly set, if there is one. */
  readonly body: Bindings | undefined;
}

const specialNames: ReadonlySet<string> = new Set(["caller", "kwargs", "varargs"]);

export function resolve(bindings: Bindings, name: string): Resolution {
  if (specialNames.has(name)) noteSpecial(bindings, name as SpecialName);
  const slots: SlotPlace[] = [];
  let hops = 0;
  let before = Number.POSITIVE_INFINITY;
  for (let body: Bindings | undefined = bindings; body !== undefined; body = body.parent) {
    const slot = body.slots.get(name);
    if (slot !== undefined) {
      slots.push({ hops, slot });
      const certainSince = body.certain.get(name);
      if (certainSince !== undefined && certainSince < before) return { slots, free: false, body };
    }
    if (body.parent !== undefined && body.parent.frame !== body.frame) {
      hops++;
      before = Math.min(before, body.since);
    }
  }
  return { slots, free: true, body: undefined };
}

/** A macro takes what its body asks for, macros inside the body included, as in Jinja2. */
function noteSpecial(bindings: Bindings, name: SpecialName): void {
  for (let body: Bindings | undefined = bindings; body !== undefined; body = body.parent) {
    body.macro?.uses.add(name);
  }
}

/** The closure that reads a name. */
export function readName(name: string, resolution: Resolution): Evaluate {
  const { slots, free } = resolution;
  const [first] = slots;
  if (first === undefined) return (run) => run.scope.get(name);
  if (!free && slots.length === 1) return readSlot(first);
  const read = readOwn(resolution);
  return (run) => {
    const value = read(run);
    if (value !== unset) return value;
    return free ? run.scope.get(name) : undefined;
  };
}

/** The closure that reads a name of the template itself; `unset` where it has no value. */
export function readOwn({ slots }: Resolution): Evaluate {
  const reads = slots.map(readSlot);
  return (run) => {
    for (const read of reads) {
      const value = read(run);
      if (value !== unset) return value;
    }
    return unset;
  };
}

function readSlot({ hops, slot }: SlotPlace): Evaluate {
  if (hops === 0) return (run) => run.slots[slot];
  return (run) => {
    let frame = run.outer;
    for (let hop = 1; hop < hops; hop++) frame = frame?.outer;
    return frame?.slots[slot];
  };
}

/** Notes a read of the scope, once for equal paths. */
export function noteRead(
  collected: Collected,
  root: string,
  path: readonly (string | number)[],
): void {
  collected.reads.set(JSON.stringify([root, ...path]), { root, path });
}

/** Empties the slots of a body that starts anew. */
export function clearSlots(run: Run, slots: readonly number[]): void {
  for (const slot of slots) run.slots[slot] = unset;
}
