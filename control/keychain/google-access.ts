// Access tokens of Google for people who ask for one by hand.

import { audited } from "#control/access/audit";
import { cloudScope } from "#control/keychain/providers/google-token";
import { credentialRow, revealCredential } from "#control/secrets/credentials";
import type { ControlContext } from "#control/services/context";
import type { Principal } from "#core/model/access";
import { providersOf } from "./resolver.ts";

export interface GoogleTokenWish {
  /** Of this credential; of the machine without one. */
  readonly credential?: string | undefined;
  readonly tenant: string;
  readonly scopes: readonly string[];
}

/** @throws Fault as of `AskOutside`; `not_found` for a credential that isn't there. */
export async function googleTokenFor(
  context: ControlContext,
  who: Principal,
  { credential, tenant, scopes: wished }: GoogleTokenWish,
): Promise<{
  readonly token: string;
  readonly expiresAtMs: number | undefined;
  readonly scopes: readonly string[];
}> {
  const scopes = wished.length === 0 ? [cloudScope] : wished;
  const auth =
    credential === undefined
      ? {}
      : await revealCredential(context, who, await credentialRow(context, tenant, credential));
  await audited(context, who, {
    action: "keychain.google_token",
    object: `credential/${credential ?? "machine"}`,
    about: { scopes: [...scopes] },
  });
  const providers = await providersOf(context);
  const { token, expiresInSeconds } = await providers.accessToken({ auth, scopes });
  const expiresAtMs =
    expiresInSeconds === undefined ? undefined : context.clock.nowMs() + expiresInSeconds * 1_000;
  return { token, expiresAtMs, scopes };
}
