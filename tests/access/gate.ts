// A control plane that lets in who shows a token, people of two tenants, and what they ask with.

import { accessOf } from "#control/access/authenticate";
import { createAdmin } from "#control/access/first-admin";
import type { AccessSettings } from "#control/access/settings";
import { tokenCheck } from "#control/access/token-check";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import type { Role } from "#core/model/access";
import type { Clock } from "#core/ports/clock";
import type { Stores } from "#core/ports/stores";
import { type Shelf, sha256, type World, type WorldOptions } from "#tests/support/control";

export const internalToken = "internal-token-of-tests";

export interface Gate {
  readonly world: World;
  readonly stores: Stores;
  /** A token of who runs the installation. */
  readonly root: string;
  /** Asks with a token, or with none. */
  as(token: string | undefined): ApiClient;
  /** A new member of a tenant, and a token with the role. */
  member(tenant: string, role: Role, email?: string): Promise<Member>;
}

export interface Member {
  readonly userId: string;
  readonly email: string;
  readonly tokenId: string;
  readonly token: string;
}

export interface GateOptions extends WorldOptions {
  readonly settings?: Partial<AccessSettings>;
  /** Another replica over the same stores has read nothing yet. */
  readonly replica?: boolean;
}

/** How the settings of the tests let people in. */
export const requiredAccess =
  (settings: Partial<AccessSettings> = {}) =>
  (stores: Stores, clock: Clock) =>
    accessOf({
      settings: {
        NOETL_ACCESS: "required",
        NOETL_INTERNAL_API_TOKEN: ["another-token-of-tests", internalToken],
        ...settings,
      },
      tokens: tokenCheck({ people: stores.people, sha256, clock, report: () => {} }),
      sha256,
      clock,
    });

/** Opens it with one who runs the installation. */
export async function openGate(shelf: Shelf, options: GateOptions = {}): Promise<Gate> {
  const { settings = {}, ...rest } = options;
  const world = shelf.open({ access: requiredAccess(settings), ...rest });
  const email = `root-${crypto.randomUUID()}@example.org`;
  const { token: root } = await createAdmin(world.stores, { email, force: true });
  return gateOf(world, root);
}

export function gateOf(world: World, root: string): Gate {
  const as = (token: string | undefined): ApiClient =>
    apiClient({
      fetch: world.control.fetch,
      baseUrl: "http://control",
      headers: () => (token === undefined ? {} : { authorization: `Bearer ${token}` }),
    });
  let people = 0;
  const member = async (tenant: string, role: Role, given?: string): Promise<Member> => {
    const email = given ?? `${role}-${++people}@${tenant}.example.org`;
    const { user_id: userId } = await as(root).createUser({ body: { email, role, tenant } });
    const asked = { name: "own", user_id: userId };
    const { token_id: tokenId, token } = await as(root).createToken({ body: asked });
    return { userId, email, tokenId, token };
  };
  return { world, stores: world.stores, root, as, member };
}

/** A request as it stands, answered with its status and its text. */
export async function asked(
  { world }: Gate,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const request = new Request(`http://control${path}`, { headers });
  const response = await world.control.fetch(request);
  return { status: response.status, text: await response.text() };
}
