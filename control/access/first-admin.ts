// The first one who is let in: made by who has the database, before anybody could make a request.

import { createHash } from "node:crypto";
import { isTenant, type Principal, tenantPlatform } from "#core/model/access";
import { tokenLifeSecondsDefault } from "#core/model/access-limits";
import { Fault } from "#core/model/fault";
import type { Stores } from "#core/ports/stores";
import { addPerson, type PeopleContext } from "./people.ts";
import { storeToken } from "./tokens.ts";

export interface FirstAdmin {
  readonly email: string;
  readonly name?: string;
  /** One who administers a tenant alone; the whole installation without it. */
  readonly tenant?: string;
  /** Another one, though there is one already. */
  readonly force?: boolean;
}

export interface AdminMade {
  /** Told once. */
  readonly token: string;
  readonly userId: string;
  readonly expiresAtMs: number;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const clock = { nowMs: (): number => Date.now() };

const operator: Principal = {
  kind: "machine",
  subject: "command line",
  tenant: tenantPlatform,
  role: "admin",
  platform: true,
};

/**
 * Makes an administrator, and a token for them.
 * @throws Fault `conflict` where there is one already and nothing was said of force, `invalid` for
 * what is no tenant's name.
 */
export async function createAdmin(
  { people, audit }: Pick<Stores, "people" | "audit">,
  asked: FirstAdmin,
): Promise<AdminMade> {
  const context: PeopleContext = { people, audit, clock, sha256, report: () => {} };
  const { email, name, tenant = tenantPlatform, force = false } = asked;
  if (tenant !== tenantPlatform && !isTenant(tenant)) {
    throw new Fault("invalid", "tenant: expected a name of a tenant");
  }
  if (!force && (await context.people.hasAdmin(tenant))) {
    throw new Fault("conflict", `tenant ${tenant} has an administrator already`);
  }
  const known = await context.people.user({ email: email.toLowerCase() });
  const [member] =
    known === undefined
      ? []
      : await context.people.memberships({ userIds: [known.userId], tenant });
  const owner =
    known !== undefined && member?.role === "admin"
      ? known
      : await addPerson(context, operator, {
          ...{ email, role: "admin", tenant },
          ...(name === undefined ? {} : { name }),
        });
  const { text, token } = await storeToken(context, {
    ...{ who: operator, owner, tenant, role: "admin", kind: "personal", name: "first" },
    lifeSeconds: tokenLifeSecondsDefault,
  });
  return { token: text, userId: owner.userId, expiresAtMs: token.expiresAtMs ?? 0 };
}
