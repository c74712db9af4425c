// The kinds of tools that run something outside of the worker (language reference §§2.4–2.5), and
// the kinds that are refused with what to use instead.

import type { ToolKind } from "./tool-shapes.ts";

export const runKinds: Readonly<Record<string, ToolKind>> = {};

/** Kinds that the language knows and that stay out, with what to use instead. */
export const refusedKinds: ReadonlyMap<string, string> = new Map();
