// Who asks, and what a role may do. A principal acts for one tenant; machines of the installation
// work for all of them.

/** By what they may do: each may do all that those before it may. */
export const roles = ["viewer", "operator", "editor", "admin"] as const;
export type Role = (typeof roles)[number];

export interface Principal {
  readonly kind: "person" | "machine";
  /** Who it is, told in the audit log: an e-mail address, or the name of a machine. */
  readonly subject: string;
  /** The tenant that it acts for. */
  readonly tenant: string;
  readonly role: Role;
  /** Which of its tokens it came with. */
  readonly tokenId?: string;
  /** Whose token that is. */
  readonly userId?: string;
  /** Works for every tenant: the workers and the gateway of the installation. */
  readonly acrossTenants?: true;
  /** Runs the installation itself: its rules, its workers, its tenants. */
  readonly platform?: true;
  /** How it proved who it is. */
  readonly via?: "token" | "session" | "identity" | "local";
}

/** The tenant of memberships that are of the whole installation; nobody's data is under it. */
export const tenantPlatform = "*";

const tenantPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export function isTenant(text: string): boolean {
  return tenantPattern.test(text);
}

export function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}

/** Whether a role may do what needs another one. */
export function atLeast(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** The lower one of two roles. */
export function lowerRole(one: Role, other: Role): Role {
  return atLeast(one, other) ? other : one;
}

/** Whoever sits at a machine that runs the product for itself alone. */
export const localAdmin: Principal = {
  kind: "person",
  subject: "local",
  tenant: "default",
  role: "admin",
  platform: true,
  via: "local",
};

/** A worker, a gateway or another process of the installation. */
export function machinePrincipal(subject: string): Principal {
  return {
    kind: "machine",
    subject,
    tenant: "default",
    role: "operator",
    acrossTenants: true,
    via: "token",
  };
}
