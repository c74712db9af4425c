// Registering playbooks and finding them again. What is registered has been checked whole, so no
// execution starts from a playbook that can't run.

import { isRuleKey, isSystemPath, systemPool } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { CatalogId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { playbookBytesMax, ruleRunningMax } from "#core/model/limits";
import type { PlaybookDocument } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import type { CatalogEntry } from "#core/ports/catalog-store";
import type { ControlContext } from "./context.ts";

export interface RegisterRequest {
  /** Whose catalog it comes into. */
  readonly tenant: string;
  /** YAML, plain or base64. */
  readonly content: string;
  /** Where it has no `metadata.path`. */
  readonly path?: string;
}

export interface Registered {
  readonly entry: CatalogEntry;
  /** False when the newest version of the path has the same content already. */
  readonly created: boolean;
}

/** @throws Fault `invalid` with every problem and its place in `details`. */
export async function registerPlaybook(
  context: ControlContext,
  request: RegisterRequest,
): Promise<Registered> {
  const content = plainText(request.content);
  if (content.length > playbookBytesMax) {
    throw new Fault(
      "too_large",
      `the playbook has ${content.length} characters, expected at most ${playbookBytesMax}`,
    );
  }
  const parsed = parsePlaybook(content);
  if (!parsed.ok) {
    const [first] = parsed.problems;
    const { length } = parsed.problems;
    const count = length === 1 ? "one problem" : `${length} problems`;
    const place = first === undefined ? "" : ` (line ${first.line}: ${first.message})`;
    throw new Fault("invalid", `the playbook is not valid: ${count}${place}`, {
      details: { problems: parsed.problems },
    });
  }
  const { metadata, kind } = parsed.document;
  const given = typeof metadata.path === "string" ? metadata.path : request.path;
  const path = given ?? metadata.name;
  refuseSystem(path, parsed.document);
  const registered = await context.catalog.register({
    catalogId: context.ids.catalogId() as CatalogId,
    tenant: request.tenant,
    path,
    kind,
    content,
    digest: context.sha256(content),
    meta: metadata as JsonObject,
    createdAtMs: context.clock.nowMs(),
  });
  context.plans.keep(registered.entry, parsed.document);
  const concurrency = parsed.document.executor?.spec?.concurrency;
  if (concurrency !== undefined) {
    const maxRunning = Math.min(concurrency, ruleRunningMax);
    await keepMaximum(context, `playbook:${registered.entry.path}`, maxRunning);
  }
  return registered;
}

/** What the platform runs for itself must not wait behind what others run, nor be mistaken for it. */
function refuseSystem(path: string, { workflow }: PlaybookDocument): void {
  if (isSystemPath(path)) {
    throw new Fault("forbidden", `path ${path}: system/ is for the platform's own playbooks`);
  }
  const step = workflow.find(({ spec }) => spec?.pool === systemPool);
  if (step === undefined) return;
  const message = `step ${step.step}: pool ${systemPool} is for the platform's own playbooks`;
  throw new Fault("invalid", message);
}

/** What a playbook asks for itself; a rate that somebody gave it stays. */
async function keepMaximum(
  { log }: ControlContext,
  key: string,
  maxRunning: number,
): Promise<void> {
  if (!isRuleKey(key)) return;
  const [known] = await log.rules([key]);
  if (known?.rule.maxRunning === maxRunning) return;
  await log.putRule({ ...known?.rule, key, maxRunning });
}

/** Base64 has no colon, and no playbook is without one. */
function plainText(content: string): string {
  const compact = content.replace(/\s/g, "");
  if (compact === "" || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return content;
  return new TextDecoder().decode(Uint8Array.from(atob(compact), (char) => char.charCodeAt(0)));
}

/** @throws Fault `not_found`. */
export async function catalogEntry(
  context: ControlContext,
  query: {
    /** Whose path; an id is looked up as it is. */
    readonly tenant: string;
    readonly catalogId?: string;
    readonly path?: string;
    readonly version?: number;
  },
): Promise<CatalogEntry> {
  const { tenant, catalogId, path, version } = query;
  if (catalogId === undefined && path === undefined) {
    throw new Fault("invalid", "expected catalog_id or path, found neither");
  }
  const entry =
    catalogId !== undefined
      ? await context.catalog.byId(catalogId as CatalogId)
      : await context.catalog.byPath(tenant, path ?? "", version);
  if (entry !== undefined) return entry;
  throw new Fault("not_found", `catalog entry ${catalogId ?? path} does not exist`);
}
