// Whose things a request is shown that looks over the whole installation.

import { principalOf, tenantFor } from "#control/access/admission";

/**
 * The tenant whose things are shown; undefined for who runs the installation or works for all of it,
 * and has not asked for one.
 * @throws Fault `forbidden` for another tenant than the asker's.
 */
export function tenantSeen(http: Request, asked?: string): string | undefined {
  const { acrossTenants, platform } = principalOf(http);
  const seesAll = acrossTenants === true || platform === true;
  return seesAll && asked === undefined ? undefined : tenantFor(http, asked);
}
