// Limits of who may ask for what. The idea of their form is that of limits.ts.

/** Executions and catalog entries whose tenant is kept in mind by one control plane. */
export const ownersKeptMax = 100_000;
