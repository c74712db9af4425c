// The kinds of tools that move data between systems (language reference §§2.4–2.5).

import type { ToolKind } from "./tool-shapes.ts";

export const dataKinds: Readonly<Record<string, ToolKind>> = {};
