// The shapes of the language that are measured: none yet.

import type { Measurement } from "#scripts/bench-figure";

export const measurements: readonly Measurement[] = [];
