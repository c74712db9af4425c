// Checks a playbook's keychain beyond the shape of its entries: names that differ, what each kind
// needs, entries that read only earlier ones. And that no entry is read where nobody fills it in.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { keychainEntriesMax } from "#core/model/keychain-limits";
import { filledByEngine } from "./check-tool.ts";
import { keychainKindOf, keychainKinds, keychainNeeds, neverRenewed } from "./keychain-kinds.ts";
import { keychainNames } from "./keychain-reads.ts";
import { eachMap, type Findings, quoted, type Trail } from "./problems.ts";
import { orList } from "./shape.ts";
import { compileTemplate, isTemplate, type ReadPath, TemplateSyntaxError } from "./template.ts";

export function checkKeychain({ keychain, workflow }: JsonObject, findings: Findings): void {
  const list: Trail = { parent: undefined, key: "keychain" };
  if (Array.isArray(keychain) && keychain.length > keychainEntriesMax) {
    const message = `'keychain' has ${keychain.length} entries, expected at most ${keychainEntriesMax}`;
    return findings.keyError(list, message);
  }
  const names = namesOf(keychain);
  const earlier = new Set<string>();
  eachMap(keychain, list, (entry, trail) => {
    checkKind(entry, trail, findings);
    checkReads(entry, trail, { names, earlier, findings });
    const { name } = entry;
    if (typeof name !== "string") return;
    if (earlier.has(name)) {
      const message = `a second keychain entry named ${quoted(name)}, expected different names`;
      findings.error({ parent: trail, key: "name" }, message);
    }
    earlier.add(name);
  });
  checkInputs(workflow, findings);
}

function namesOf(keychain: Json | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  if (!Array.isArray(keychain)) return names;
  for (const entry of keychain) {
    if (isJsonObject(entry) && typeof entry["name"] === "string") names.add(entry["name"]);
  }
  return names;
}

function checkKind(entry: JsonObject, trail: Trail, findings: Findings): void {
  const kind = keychainKindOf(entry);
  if (kind === undefined) {
    // A kind that is none was told of with the entry's shape.
    if ((entry["kind"] ?? entry["type"] ?? null) !== null) return;
    const known = orList(Object.keys(keychainKinds));
    return findings.keyError(trail, `keychain entry has no 'kind', expected ${known}`);
  }
  for (const group of keychainNeeds[kind]) {
    if (group.some((key) => isGiven(entry[key]))) continue;
    const fields = orList(group.map((key) => `'${key}'`));
    findings.keyError(trail, `keychain entry of kind ${kind} has no ${fields}, expected one`);
  }
  if (entry["auto_renew"] === true && neverRenewed.has(kind)) {
    const message = `'auto_renew' is true, but kind ${kind} has nothing that could be renewed`;
    findings.error({ parent: trail, key: "auto_renew" }, message);
  }
  checkResidency(entry, trail, findings);
  checkAliases(entry, trail, findings);
}

/** Who may use an entry hangs on its credentials: they are known before anything is fetched. */
function checkAliases(entry: JsonObject, trail: Trail, findings: Findings): void {
  for (const key of ["auth", "credential", "service_account_credential"]) {
    const alias = entry[key];
    if (typeof alias !== "string" || keychainNames(readsOf(alias)).length === 0) continue;
    findings.error({ parent: trail, key }, `'${key}' is an alias, which no secret may decide`);
  }
}

function isGiven(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

/** Where the regions are plain texts, a secret that may not be read there is told of early. */
function checkResidency(entry: JsonObject, trail: Trail, findings: Findings): void {
  const { residency, region, allowed_regions: allowed = [] } = entry;
  if (residency !== "strict") return;
  const regions = Array.isArray(allowed) ? allowed : [allowed];
  if ([...regions, region ?? ""].some((text) => typeof text === "string" && isTemplate(text))) {
    return;
  }
  if (typeof region === "string" && regions.includes(region)) return;
  const message = "'residency' is strict, expected a 'region' that is one of 'allowed_regions'";
  findings.error({ parent: trail, key: "residency" }, message);
}

interface Entries {
  readonly names: ReadonlySet<string>;
  readonly earlier: ReadonlySet<string>;
  readonly findings: Findings;
}

function checkReads(value: Json, trail: Trail, entries: Entries): void {
  eachText(value, trail, (text, at) => {
    for (const name of keychainNames(readsOf(text))) {
      if (name !== undefined && entries.earlier.has(name)) continue;
      entries.findings.error(at, readProblem(name, entries));
    }
  });
}

function readProblem(name: string | undefined, { names, findings }: Entries): string {
  if (name === undefined) return "expected keychain.NAME, so that it is known what is read";
  if (names.has(name)) {
    return `keychain entry ${quoted(name)} comes later, expected an entry that stands above`;
  }
  return `keychain entry ${quoted(name)} does not exist${findings.hint(name, [...names])}`;
}

function readsOf(text: string): readonly ReadPath[] {
  if (!isTemplate(text)) return [];
  try {
    return compileTemplate(text).reads;
  } catch (thrown) {
    // Said with the entry's shape.
    if (thrown instanceof TemplateSyntaxError) return [];
    throw thrown;
  }
}

/** What the engine itself gives to a call is in the log: a step's input for one is no place. */
function checkInputs(workflow: Json | undefined, findings: Findings): void {
  eachMap(workflow, { parent: undefined, key: "workflow" }, ({ tool, input }, trail) => {
    const tools = Array.isArray(tool) ? tool : [tool];
    const kinds = tools.map((each) => (isJsonObject(each) ? each["kind"] : undefined));
    const kind = kinds.find((each) => typeof each === "string" && filledByEngine.has(each));
    if (kind === undefined || input === undefined) return;
    eachText(input, { parent: trail, key: "input" }, (text, at) => {
      if (keychainNames(readsOf(text)).length === 0) return;
      findings.error(at, `a secret must not reach the log: kind ${String(kind)} takes none`);
    });
  });
}

function eachText(value: Json, trail: Trail, look: (text: string, at: Trail) => void): void {
  if (typeof value === "string") look(value, trail);
  else if (Array.isArray(value)) {
    for (const [key, item] of value.entries()) eachText(item, { parent: trail, key }, look);
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      eachText(value[key] ?? null, { parent: trail, key }, look);
    }
  }
}
