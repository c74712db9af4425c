// Settings of the control plane's part `access`. Secrets of it are lists, so that each can be
// changed without a moment in which nobody is let in.

import { type } from "arktype";
import { identityKeyBytesMin, internalTokenCharsMin } from "#core/model/access-limits";
import { names, pairs, type Settings, type SettingValues, text } from "#core/model/settings";

const mode = type("'required' | 'local' | 'open'").describe("required, local or open");

const visible = /^[\x21-\x7e]+$/;

const internalTokens = names.narrow(
  (given, context) =>
    given.every((token) => token.length >= internalTokenCharsMin && visible.test(token)) ||
    context.mustBe(
      `tokens of at least ${internalTokenCharsMin} visible characters, with commas between them`,
    ),
);

const identityKeys = names.narrow(
  (given, context) =>
    given.every(isIdentityKey) ||
    context.mustBe(
      `keys as name:base64 of at least ${identityKeyBytesMin} bytes, with commas between them`,
    ),
);

function isIdentityKey(given: string): boolean {
  const [, name = "", coded = ""] = /^([^:\s]+):([A-Za-z0-9+/_-]+={0,2})$/.exec(given) ?? [];
  return (
    name !== "" && Math.floor((coded.replace(/=+$/, "").length * 3) / 4) >= identityKeyBytesMin
  );
}

export const accessSettings = {
  NOETL_ACCESS: {
    shape: mode,
    default: "required",
    text:
      "Who is let in. `required`: who shows a token; `local`: programs of this machine besides, " +
      "as its administrator; `open`: everybody, as the administrator, for tests alone. `noetl dev` " +
      "is `local` without it.",
  },
  NOETL_INTERNAL_API_TOKEN: {
    shape: internalTokens,
    secret: true,
    text:
      "Tokens of the installation's own processes: workers and the gateway show one of them. With " +
      "commas between them, so that they can be changed one after the other.",
  },
  NOETL_IDENTITY_KEY: {
    shape: identityKeys,
    secret: true,
    text:
      "Keys that the gateway signs with for whom it asks: `name:base64` of 32 bytes, with commas " +
      "between them. Without one, such requests are refused.",
  },
  NOETL_SIGN_IN_TENANT_CLAIM: {
    shape: text,
    text: "The claim of a sign-in that says the tenant. Without it only people are let in who are members already.",
  },
  NOETL_SIGN_IN_TENANTS: {
    shape: pairs,
    text: "Tenants by what that claim says: `Acme Inc=acme`. Without it the claim is the tenant's name.",
  },
  NOETL_SIGN_IN_ROLE_CLAIM: {
    shape: text,
    text: "The claim of a sign-in that says the role, or a list of roles of which the highest counts.",
  },
  NOETL_SIGN_IN_ROLES: {
    shape: pairs,
    text: "Roles by what that claim says: `ops=operator,leads=admin`. Without it the claim is the role's name.",
  },
} as const satisfies Settings;

export type AccessSettings = SettingValues<typeof accessSettings>;
