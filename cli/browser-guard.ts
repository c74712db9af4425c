// Keeps web pages away from an API that has no users. A browser sends a page's requests to any
// address, this machine's too; such a request names the page's origin, or a host that isn't ours.

import { isIP } from "node:net";
import type { Fetch } from "#control/app";
import { Fault } from "#core/model/fault";
import { problemBody, statusOf } from "#core/wire/problem";

/**
 * The same app, closed to other sites: a request of a page from elsewhere is answered 403, and so
 * is one for a name that somebody else's DNS leads here (DNS rebinding). Programs name no origin
 * and are served.
 */
export function guarded(fetch: Fetch): Fetch {
  return async (request) => {
    const refused = refusal(request);
    if (refused === undefined) return fetch(request);
    const fault = new Fault("forbidden", refused);
    return Response.json(problemBody(fault), { status: statusOf(fault.code) });
  };
}

function refusal(request: Request): string | undefined {
  const host = request.headers.get("host") ?? "";
  if (!isOwnName(host)) return "the host is not one of this machine's, expected its address";
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== `http://${host}`) {
    return "requests of web pages from elsewhere are not served";
  }
  const site = request.headers.get("sec-fetch-site");
  const isOwnPage = site === null || site === "same-origin" || site === "none";
  return isOwnPage ? undefined : "requests of web pages from elsewhere are not served";
}

/** An address can't be rebound by DNS, and `localhost` is nobody else's name. */
function isOwnName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || isIP(name) !== 0;
}
