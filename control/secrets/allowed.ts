// Who may use a credential: playbooks by patterns of their paths, pools by name. A list that isn't
// there allows all of the tenant; an empty one allows nobody.

import type { CredentialAllow } from "#core/ports/credential-store";

/** What wants to use it. */
export interface User {
  /** The playbook's path. */
  readonly path: string;
  readonly pool: string;
}

/** Whether a use is allowed; the tenant has been looked at before. */
export function mayUse({ playbooks, pools }: CredentialAllow, { path, pool }: User): boolean {
  if (pools !== undefined && !pools.includes(pool)) return false;
  return playbooks === undefined || playbooks.some((pattern) => matchesPath(pattern, path));
}

const anyTenant = "*";

/** Whether the lists name this tenant, or all. */
export function allowsTenant({ tenants = [] }: CredentialAllow, tenant: string): boolean {
  return tenants.includes(tenant) || tenants.includes(anyTenant);
}

/**
 * Whether a path fits a pattern: `*` stands for any text without a slash, `**` for any text.
 * Takes time in proportion to both lengths, whatever the pattern.
 */
export function matchesPath(pattern: string, path: string): boolean {
  const parts = pattern.match(/\*\*|\*|[^*]/gsu) ?? [];
  let places = reached(parts, new Set([0]));
  for (const unit of path) {
    const next = new Set<number>();
    for (const place of places) {
      const part = parts[place];
      if (part === "**" || (part === "*" && unit !== "/")) next.add(place);
      else if (part === unit && unit !== "*") next.add(place + 1);
    }
    places = reached(parts, next);
    if (places.size === 0) return false;
  }
  return places.has(parts.length);
}

/** The places themselves, and those behind stars, which may stand for nothing. */
function reached(parts: readonly string[], places: Set<number>): Set<number> {
  for (const place of places) {
    const part = parts[place];
    // A set is walked to its end, also over what is added on the way.
    if (part === "*" || part === "**") places.add(place + 1);
  }
  return places;
}
