// Checks a playbook: its shape (check-shape.ts against language.ts), then what holds across keys:
// names, targets of arcs and jumps, calls of the workbook, rules.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { playbookStepsMax } from "#core/model/limits";
import { checkKeychain } from "./check-keychain.ts";
import { checkPolicy } from "./check-policy.ts";
import { ShapeChecker } from "./check-shape.ts";
import { type CheckedWorkbook, checkStep } from "./check-step.ts";
import { playbook } from "./language.ts";
import { type Findings, quoted, type Trail } from "./problems.ts";

/** Reports everything that is wrong with a playbook's value; nothing if it is one. */
export function checkPlaybook(value: Json, findings: Findings): void {
  if (isJsonObject(value)) {
    if (isOtherKind(value, findings) || hasTooManySteps(value, findings)) return;
  }
  new ShapeChecker(findings).record(value, playbook, undefined);
  if (!isJsonObject(value)) return;
  checkKeychain(value, findings);
  const workbook = checkWorkbook(value.workbook, findings);
  checkWorkflow(value, workbook, findings);
}

/** Documents that the product knows and that are no playbooks. */
const otherKinds: ReadonlyMap<string, string> = new Map([
  ["Subscription", "; subscriptions are not supported by this version"],
  ["PlaybookTest", "; it is a test of playbooks: run it with noetl test"],
]);

/** A document of another kind shares only the header with playbooks: one problem says it all. */
function isOtherKind(value: JsonObject, findings: Findings): boolean {
  const { kind } = value;
  if (typeof kind !== "string" || kind === "Playbook" || kind === "Agent") return false;
  const hint = otherKinds.get(kind) ?? findings.hint(kind, ["Playbook"]);
  findings.error(
    { parent: undefined, key: "kind" },
    `'kind' is ${quoted(kind)}, expected Playbook${hint}`,
  );
  return true;
}

function hasTooManySteps({ workflow }: JsonObject, findings: Findings): boolean {
  if (!Array.isArray(workflow) || workflow.length <= playbookStepsMax) return false;
  const message = `'workflow' has ${workflow.length} steps, expected at most ${playbookStepsMax}`;
  findings.keyError({ parent: undefined, key: "workflow" }, message);
  return true;
}

function checkWorkbook(value: Json | undefined, findings: Findings): CheckedWorkbook {
  const kinds = new Map<string, string>();
  if (!Array.isArray(value)) return kinds;
  const list: Trail = { parent: undefined, key: "workbook" };
  for (let index = 0; index < value.length; index++) {
    const entry: Json = value[index] ?? null;
    if (!isJsonObject(entry)) continue;
    const trail: Trail = { parent: list, key: index };
    const { name, tool } = entry;
    const kind = isJsonObject(tool) && typeof tool.kind === "string" ? tool.kind : "";
    if (kind === "workbook") {
      const message = "a workbook entry calls the workbook, expected a tool of another kind";
      findings.error({ parent: { parent: trail, key: "tool" }, key: "kind" }, message);
    }
    if (tool !== undefined && isJsonObject(tool)) {
      const labels = typeof name === "string" ? [name] : [];
      checkPolicy(tool, { parent: trail, key: "tool" }, { labels, kind, findings });
    }
    if (typeof name !== "string") continue;
    if (kinds.has(name)) {
      const message = `a second workbook entry named ${quoted(name)}, expected different names`;
      findings.error({ parent: trail, key: "name" }, message);
    }
    kinds.set(name, kind);
  }
  return kinds;
}

function checkWorkflow(root: JsonObject, workbook: CheckedWorkbook, findings: Findings): void {
  const { workflow } = root;
  if (!Array.isArray(workflow)) return;
  const list: Trail = { parent: undefined, key: "workflow" };
  const names = stepNames(workflow, list, findings);
  const steps = { names, known: [...names], workbook, findings };
  for (let index = 0; index < workflow.length; index++) {
    const step: Json = workflow[index] ?? null;
    if (isJsonObject(step)) checkStep(step, { parent: list, key: index }, steps);
  }
  checkEntry(root, names, findings);
}

function stepNames(
  workflow: readonly Json[],
  list: Trail,
  findings: Findings,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (let index = 0; index < workflow.length; index++) {
    const step = workflow[index];
    const name = step !== undefined && isJsonObject(step) ? step.step : undefined;
    if (typeof name !== "string") continue;
    const trail: Trail = { parent: { parent: list, key: index }, key: "step" };
    if (names.has(name)) {
      findings.error(trail, `a second step named ${quoted(name)}, expected different names`);
    }
    names.add(name);
  }
  return names;
}

function checkEntry(root: JsonObject, names: ReadonlySet<string>, findings: Findings): void {
  const executor = isJsonObject(root.executor ?? null) ? (root.executor as JsonObject) : {};
  const spec = executor.spec;
  if (spec === undefined || !isJsonObject(spec)) return;
  const settings: Trail = { parent: { parent: undefined, key: "executor" }, key: "spec" };
  for (const key of ["entry_step", "final_step"]) {
    const name = spec[key];
    if (typeof name !== "string" || name === "" || names.has(name)) continue;
    const hint = findings.hint(name, [...names]);
    const message = `'${key}' is ${quoted(name)}, expected the name of a step${hint}`;
    findings.error({ parent: settings, key }, message);
  }
}
