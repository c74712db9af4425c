// From which address a request came, as the socket says it and no header can.

const peers = new WeakMap<Request, () => string | undefined>();

/** @param ask gives the address while the request is being answered. */
export function notePeer(request: Request, ask: () => string | undefined): void {
  peers.set(request, ask);
}

/** Undefined for a request that came over no socket of ours. */
export function peerOf(request: Request): string | undefined {
  return peers.get(request)?.();
}
