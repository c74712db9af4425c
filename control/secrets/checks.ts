// What is refused of a credential before it is sealed: names that could be taken for something else,
// notes beyond their size, and shares that its administrator may not give away.

import { isTenant, type Principal } from "#core/model/access";
import { Fault } from "#core/model/fault";
import { isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import {
  credentialAllowMax,
  credentialDescriptionCharsMax,
  credentialMetaBytesMax,
  credentialNameCharsMax,
  credentialPatternCharsMax,
  credentialTagsMax,
} from "#core/model/secret-limits";
import type { CredentialAllow } from "#core/ports/credential-store";

/** Control characters, halves of pairs, and what looks like a space and is none. */
const unfit = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** @throws Fault `invalid`; the name is not repeated. */
export function checkName(name: string): void {
  if (name.length > credentialNameCharsMax) {
    throw new Fault("invalid", `name: expected at most ${credentialNameCharsMax} characters`);
  }
  if (unfit.test(name) || name.trim() !== name || ["", ".", ".."].includes(name)) {
    throw new Fault(
      "invalid",
      "name: expected text without control characters, and no space around",
    );
  }
  if (isSnowflake(name)) {
    throw new Fault("invalid", "name: expected more than digits, which would be taken for an id");
  }
}

interface About {
  readonly meta: JsonObject;
  readonly tags: readonly string[];
  readonly description?: string;
}

/** @throws Fault `invalid`, `too_large`. */
export function checkAbout({ meta, tags, description = "" }: About): void {
  if (new TextEncoder().encode(JSON.stringify(meta)).length > credentialMetaBytesMax) {
    throw new Fault("too_large", `meta: expected at most ${credentialMetaBytesMax} bytes`);
  }
  checkList("tags", tags, credentialTagsMax);
  if (description.length > credentialDescriptionCharsMax || unfitText.test(description)) {
    const most = `expected at most ${credentialDescriptionCharsMax} characters, none of them NUL`;
    throw new Fault("invalid", `description: ${most}`);
  }
}

const unfitText = /[\0\p{Cs}]/u;

function checkList(where: string, texts: readonly string[], most: number): void {
  if (texts.length > most) throw new Fault("invalid", `${where}: expected at most ${most}`);
  const isFit = (text: string): boolean =>
    text !== "" && text.length <= credentialPatternCharsMax && !unfit.test(text);
  if (!texts.every(isFit)) {
    const expected = `texts of 1 to ${credentialPatternCharsMax} characters without control ones`;
    throw new Fault("invalid", `${where}: expected ${expected}`);
  }
}

/**
 * @throws Fault `invalid`; `forbidden` for somebody who names other tenants and doesn't run the
 * installation.
 */
export function checkAllow(
  { tenants = [], playbooks = [], pools = [] }: CredentialAllow,
  { tenant }: { readonly tenant: string },
  { platform }: Principal,
): void {
  checkList("allow.tenants", tenants, credentialAllowMax);
  checkList("allow.playbooks", playbooks, credentialAllowMax);
  checkList("allow.pools", pools, credentialAllowMax);
  if (!tenants.every((name) => name === "*" || isTenant(name))) {
    throw new Fault("invalid", "allow.tenants: expected names of tenants, or * for all");
  }
  if (platform !== true && tenants.some((name) => name !== tenant)) {
    throw new Fault(
      "forbidden",
      "allow.tenants: only an administrator of the installation may name other tenants",
    );
  }
}
