// What holds inside a loop across its keys: it has something to go through.

import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { Findings, Trail } from "./problems.ts";

/** Reports a loop without items. */
export function checkCursorLoop(step: JsonObject, trail: Trail, findings: Findings): void {
  const { loop } = step;
  if (loop === undefined || !isJsonObject(loop) || Object.hasOwn(loop, "in")) return;
  const at: Trail = { parent: trail, key: "loop" };
  findings.keyError(at, "loop has no 'in', expected a list or a template");
}
