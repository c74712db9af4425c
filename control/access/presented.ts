// What a request shows to say who it is from: a token in one of three places, in the order in which
// the wire reference names them. No other header is ever read for it.

import { tokenCharsMax } from "#core/model/access-limits";
import { Fault } from "#core/model/fault";
import { waitTokenPrefix } from "#core/model/wait-token";

export const identityHeader = "x-noetl-identity";

export interface Presented {
  readonly token: string;
  /** A browser sends a cookie by itself, whichever page made the request. */
  readonly isOnlyCookie: boolean;
}

/** @throws Fault `unauthenticated` for what can't be a token, and for two that differ. */
export function presentedToken({ headers }: Request): Presented | undefined {
  const bearer = bearerOf(headers.get("authorization"));
  const named = headers.get("x-session-token")?.trim();
  const cookie = cookieOf(headers.get("cookie"), "session_token");
  const shown = [bearer, named, cookie].filter((text) => text !== undefined && text !== "");
  const [token] = shown;
  if (token === undefined) return undefined;
  if (shown.some((other) => other !== token)) {
    throw new Fault("unauthenticated", "expected one access token, found two that differ");
  }
  if (token.length > tokenCharsMax) {
    throw new Fault("unauthenticated", `expected a token of at most ${tokenCharsMax} characters`);
  }
  return { token, isOnlyCookie: bearer === undefined && (named ?? "") === "" };
}

function bearerOf(header: string | null): string | undefined {
  if (header === null || header.trim() === "") return undefined;
  const [, token] = /^\s*bearer +(\S+)\s*$/i.exec(header) ?? [];
  // One that answers a wait is read by the route that it is for, and says nothing of who asks.
  if (token?.startsWith(waitTokenPrefix) === true) return undefined;
  if (token !== undefined) return token;
  throw new Fault("unauthenticated", "expected authorization: Bearer and a token");
}

function cookieOf(header: string | null, name: string): string | undefined {
  if (header === null) return undefined;
  const part = header.split(";").find((pair) => pair.trimStart().startsWith(`${name}=`));
  return part
    ?.trim()
    .slice(name.length + 1)
    .replace(/^"(.*)"$/, "$1");
}
