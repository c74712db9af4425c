// Credentials in memory: the reference implementation of the port, for tests and for runs that keep
// nothing.

import type { Clock } from "#core/ports/clock";
import type { CredentialRow, CredentialStore } from "#core/ports/credential-store";

const anyTenant = "*";

/** No credentials yet; times are the given clock's. */
export function memoryCredentials(clock: Pick<Clock, "nowMs">): CredentialStore {
  const rows = new Map<string, CredentialRow>();
  const placeOf = (tenant: string, name: string): string => JSON.stringify([tenant, name]);
  const all = (): readonly CredentialRow[] => [...rows.values()];
  const find = (tenant: string, nameOrId: string): CredentialRow | undefined =>
    rows.get(placeOf(tenant, nameOrId)) ??
    all().find((row) => row.tenant === tenant && row.credentialId === nameOrId);
  const byId = (id: string): CredentialRow | undefined =>
    all().find(({ credentialId }) => credentialId === id);
  return {
    put: async (given) => {
      const place = placeOf(given.tenant, given.name);
      const before = rows.get(place);
      const nowMs = clock.nowMs();
      const row: CredentialRow = {
        ...structuredClone(given),
        credentialId: before?.credentialId ?? given.credentialId,
        revision: (before?.revision ?? 0) + 1,
        createdAtMs: before?.createdAtMs ?? nowMs,
        updatedAtMs: nowMs,
      };
      rows.set(place, row);
      return { row, created: before === undefined };
    },
    get: async (tenant, nameOrId) => find(tenant, nameOrId),
    list: async (tenant, { type, q, after, limit }) =>
      all()
        .filter((row) => row.tenant === tenant && (type === undefined || row.type === type))
        .filter((row) => q === undefined || isAbout(row, q))
        .filter(({ name }) => after === undefined || byBytes(name, after) > 0)
        .sort((left, right) => byBytes(left.name, right.name))
        .slice(0, limit),
    remove: async (tenant, nameOrId) => {
      const row = find(tenant, nameOrId);
      return row !== undefined && rows.delete(placeOf(row.tenant, row.name));
    },
    shared: async (tenant, name) =>
      all()
        .filter((row) => row.name === name && row.tenant !== tenant)
        .filter(({ allow: { tenants = [] } }) =>
          tenants.some((one) => one === tenant || one === anyTenant),
        )
        .sort((left, right) => byBytes(left.tenant, right.tenant)),
    oldKeys: async (kid, limit, afterId = "0") =>
      all()
        .filter((row) => row.kid !== kid && BigInt(row.credentialId) > BigInt(afterId))
        .sort((left, right) => (BigInt(left.credentialId) < BigInt(right.credentialId) ? -1 : 1))
        .slice(0, limit),
    reseal: async ({ credentialId, revision, sealed, kid }) => {
      const row = byId(credentialId);
      if (row === undefined || row.revision !== revision) return false;
      rows.set(placeOf(row.tenant, row.name), { ...row, sealed, kid });
      return true;
    },
    countsByKey: async () => {
      const counts = new Map<string, number>();
      for (const { kid } of rows.values()) counts.set(kid, (counts.get(kid) ?? 0) + 1);
      return Object.fromEntries(counts);
    },
  };
}

function isAbout({ name, description = "", tags }: CredentialRow, part: string): boolean {
  const sought = part.toLowerCase();
  return [name, description, ...tags].some((text) => text.toLowerCase().includes(sought));
}

const encoder = new TextEncoder();

/** As a database does under the collation "C": by the bytes of UTF-8. */
function byBytes(left: string, right: string): number {
  const [a, b] = [encoder.encode(left), encoder.encode(right)];
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
