// Who a request comes from, and whether a route lets them in. Found out once, before the app sees
// the request, and attached to it; every route says by its entry of the contract whom it lets in.

import { atLeast, isTenant, localAdmin, type Principal } from "#core/model/access";
import { Fault, invariant, unreachable } from "#core/model/fault";
import { isSnowflake } from "#core/model/ids";
import type { AccessRule, NestedId, Route } from "#core/wire/route";
import type { Owned, Ownership } from "./ownership.ts";
import type { SignIn } from "./sign-in.ts";

/** What is known of whoever asks. */
export interface Identified {
  /** Undefined for somebody who has not said who they are. */
  readonly principal?: Principal;
  /** Why what they said is not believed. Such a request is refused, also where nobody need say. */
  readonly refused?: Fault;
}

/** Finds out who asks. */
export interface Access {
  authenticate(request: Request): Promise<Identified>;
  /** What claims of a sign-in elsewhere come to; to nothing without it. */
  readonly signIn?: SignIn;
}

/** Takes everybody for the same one: for a process that answers nobody but itself. */
export function openAccess(principal: Principal = localAdmin): Access {
  const identified: Identified = { principal };
  return { authenticate: async () => identified };
}

/** Told of each answer of a route: its status, and the time that it took. */
export type Observe = (entry: Route, status: number, durationMs: number) => void;

export interface Admission extends Identified {
  readonly owns: Ownership;
  readonly signIn?: SignIn;
  readonly observe?: Observe;
  /** Told of somebody who is known and not let in. */
  readonly onRefused?: (principal: Principal, entry: Route) => void;
}

const admissions = new WeakMap<Request, Admission>();

export function attach(request: Request, admission: Admission): void {
  admissions.set(request, admission);
}

export function admissionOf(request: Request): Admission {
  const admission = admissions.get(request);
  invariant(admission !== undefined, "a request reached a route, and nobody asked who it is from");
  return admission;
}

/** @throws Fault `unauthenticated` for a request of nobody. */
export function principalOf(request: Request): Principal {
  const { principal } = admissionOf(request);
  if (principal === undefined) throw nobody();
  return principal;
}

/**
 * The tenant that a request is about: that of whoever asks. Only who works for all of them may ask
 * for another one.
 * @throws Fault `forbidden` for another tenant, `invalid` for what is no tenant's name.
 */
export function tenantFor(request: Request, asked?: string): string {
  const { tenant, acrossTenants, platform } = principalOf(request);
  if (asked === undefined || asked === tenant) return tenant;
  if (acrossTenants !== true && platform !== true) {
    throw new Fault("forbidden", `expected tenant ${tenant}, found another one`);
  }
  if (!isTenant(asked)) throw new Fault("invalid", "tenant: expected a name of a tenant");
  return asked;
}

/** @throws Fault `unauthenticated` or `forbidden` where the route doesn't let them in. */
export function admitRole(entry: Route, admission: Admission): void {
  const { principal, refused, onRefused } = admission;
  if (refused !== undefined) throw refused;
  const rules = rulesOf(entry);
  if (rules.some((rule) => isLetIn(rule, principal))) return;
  if (principal === undefined) throw nobody();
  onRefused?.(principal, entry);
  throw new Fault(
    "forbidden",
    `expected ${rules.map(said).join(" or ")}, found ${whoIs(principal)}`,
  );
}

export function rulesOf({ access }: Route): readonly AccessRule[] {
  return typeof access === "string" ? [access] : access;
}

export function nobody(): Fault {
  return new Fault("unauthenticated", "expected an access token, found none");
}

function isLetIn(rule: AccessRule, principal: Principal | undefined): boolean {
  if (rule === "public" || rule === "link") return true;
  if (principal === undefined) return false;
  if (principal.platform === true) return true;
  switch (rule) {
    case "person":
      return principal.kind === "person";
    case "machine":
      return principal.kind === "machine";
    case "platform":
      return false;
    case "viewer":
    case "operator":
    case "editor":
    case "admin":
      return principal.kind === "person" && atLeast(principal.role, rule);
    default:
      return unreachable(rule);
  }
}

function said(rule: AccessRule): string {
  switch (rule) {
    case "machine":
      return "a machine of the installation";
    case "platform":
      return "an administrator of the installation";
    case "person":
      return "a person";
    default:
      return `role ${rule}`;
  }
}

function whoIs({ kind, role }: Principal): string {
  return kind === "machine" ? "a machine" : `role ${role}`;
}

/** The parts of a request, after their shape was checked. */
export type CheckedParts = Readonly<Record<"params" | "query" | "body", unknown>>;

/**
 * Checks the ids that a request names. One of another tenant is answered as one that doesn't exist.
 * @throws Fault `not_found`.
 */
export async function admitIds(
  entry: Route,
  checked: Partial<CheckedParts>,
  { principal, owns }: Admission,
): Promise<void> {
  const { of = [] } = entry;
  if (of.length === 0 || principal === undefined) return;
  if (principal.acrossTenants === true || principal.platform === true) return;
  for (const nested of of) {
    for (const { kind, id, text } of idsIn(nested, checked)) {
      if (id !== undefined && (await owns(kind, id, principal.tenant))) continue;
      throw new Fault("not_found", `${nested.split(" ")[0]} ${text} does not exist`);
    }
  }
}

interface FoundId {
  readonly kind: Owned;
  /** Undefined for text that names none. */
  readonly id: string | undefined;
  readonly text: string;
}

const shownCharsMax = 80;

function idsIn(nested: NestedId, checked: Partial<CheckedParts>): readonly FoundId[] {
  const [what = "", place = ""] = nested.split(" ");
  const [part = "", name = ""] = place.split(".");
  const holder = checked[part as keyof CheckedParts];
  const value: unknown =
    typeof holder === "object" && holder !== null && Object.hasOwn(holder, name)
      ? (holder as Readonly<Record<string, unknown>>)[name]
      : undefined;
  if (value === undefined || value === null || value === "") return [];
  const texts = Array.isArray(value) ? value.map(String) : [String(value)];
  const split = what === "executions" ? texts.flatMap((text) => text.split(",")) : texts;
  const kind = what === "catalog" ? "catalog" : "execution";
  return split.map((text) => ({
    kind,
    id: idIn(what, text.trim()),
    text: text.slice(0, shownCharsMax),
  }));
}

const referencePattern = /^noetl:\/\/execution\/([0-9]+)(?:\/|$)/;

/** The id that a text is, or that it belongs to: a command and a result are of their execution. */
function idIn(what: string, text: string): string | undefined {
  const id =
    what === "command"
      ? text.split(":")[0]
      : what === "result"
        ? referencePattern.exec(text)?.[1]
        : text;
  return id !== undefined && isSnowflake(id) ? id : undefined;
}
