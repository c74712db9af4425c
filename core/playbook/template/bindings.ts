// Which names of a template are its own (bound by for, set, with) and which it reads from the
// scope. Own names live in numbered slots, so evaluation looks nothing up by name.

import type { ReadPath } from "./contract.ts";
import type { Evaluate, Run } from "./run.ts";

/** What a slot holds until its name is set. */
export const unset: unique symbol = Symbol("unset");

/** The names bound in one body of the template, inside the body around it. */
export interface Bindings {
  readonly parent: Bindings | undefined;
  readonly slots: Map<string, number>;
  /** Names that are certainly set where the compiler stands, in the order they became so. */
  readonly certain: Set<string>;
}

/** Mutable on purpose: what the compiler collects from one template. */
export interface Collected {
  readonly source: string;
  readonly reads: Map<string, ReadPath>;
  slotCount: number;
  usesEnvironment: boolean;
  depth: number;
}

export function openBindings(parent: Bindings | undefined): Bindings {
  return { parent, slots: new Map(), certain: new Set() };
}

/** The slot of a name in this body, made at its first binding. */
export function bindName(bindings: Bindings, name: string, collected: Collected): number {
  const known = bindings.slots.get(name);
  const slot = known ?? collected.slotCount++;
  bindings.slots.set(name, slot);
  return slot;
}

/** Forgets what became certain while a branch was compiled: it may not be taken. */
export function forgetBranch(bindings: Bindings, certainBefore: number): void {
  const names = [...bindings.certain].slice(certainBefore);
  for (const name of names) bindings.certain.delete(name);
}

interface Resolution {
  /** Slots that may hold the name, innermost first. */
  readonly slots: readonly number[];
  /** Whether the name can also come from the scope. */
  readonly free: boolean;
}

export function resolve(bindings: Bindings | undefined, name: string): Resolution {
  const slots: number[] = [];
  for (let body = bindings; body !== undefined; body = body.parent) {
    const slot = body.slots.get(name);
    if (slot === undefined) continue;
    slots.push(slot);
    if (body.certain.has(name)) return { slots, free: false };
  }
  return { slots, free: true };
}

/** The closure that reads a name. */
export function readName(name: string, { slots, free }: Resolution): Evaluate {
  const [slot] = slots;
  if (slot === undefined) return (run) => run.scope.get(name);
  if (!free && slots.length === 1) return (run) => run.slots[slot];
  return (run) => {
    for (const candidate of slots) {
      const value = run.slots[candidate];
      if (value !== unset) return value;
    }
    return free ? run.scope.get(name) : undefined;
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
