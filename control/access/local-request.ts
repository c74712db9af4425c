// Whether a request was made by a program of this machine: the socket says that it came from here,
// and nothing says that a page of a browser or a proxy made it on behalf of somebody else.

/** What proxies add to requests that they pass on. */
const passedOn = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const;

/** @param peer the address at the other end of the socket. */
export function isLocal({ headers, url }: Request, peer: string | undefined): boolean {
  if (peer === undefined || !isLoopback(peer)) return false;
  // What comes over a worker's socket has no header of its own for it, but the address of the socket.
  const host = headers.get("host") ?? new URL(url).host;
  // Anybody's DNS can lead a name of theirs here; these lead nowhere else.
  if (!isLoopbackName(host)) return false;
  return isOwnPage(headers) && !passedOn.some((name) => headers.has(name));
}

/** False for a request that a page of another site made. */
export function isOwnPage(headers: Headers): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host");
  const isSame = origin === null || origin === `http://${host}` || origin === `https://${host}`;
  const site = headers.get("sec-fetch-site");
  return isSame && (site === null || site === "same-origin" || site === "none");
}

function isLoopback(address: string): boolean {
  const bare = address.replace(/^::ffff:/i, "");
  return bare === "::1" || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return name.toLowerCase() === "localhost" || isLoopback(name);
}
