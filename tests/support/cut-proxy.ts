// The network that fails, for tests of what speaks over it.

export { type CutProxy, cutProxy } from "#scripts/cut-proxy";
