// Limits of who may ask for what. The idea of their form is that of limits.ts.

/** Executions and catalog entries whose tenant is kept in mind by one control plane. */
export const ownersKeptMax = 100_000;

/** A header that says more is no token of anybody. */
export const tokenCharsMax = 4_096;
/** Tokens that one control plane keeps in mind. */
export const tokensKeptMax = 10_000;
/** How long: a token that another replica has revoked is believed for this long at most. */
export const tokenKeptMs = 5_000;
/** When a token was last used is written down so often at most. */
export const tokenTouchMs = 60_000;
/** Tokens of people without a time of their own, and the longest that may be asked for. */
export const tokenLifeSecondsDefault = 90 * 86_400;
export const tokenLifeSecondsMax = 366 * 86_400;
/** Sessions of the gateway. */
export const sessionLifeSecondsDefault = 8 * 3_600;
export const sessionLifeSecondsMax = 7 * 86_400;
/** Tokens that have run out or were revoked are listed for so long. */
export const tokenRestMs = 30 * 86_400_000;
/** Old tokens that are removed at a time. */
export const tokensPurgedMax = 1_000;
/** Tokens of one person in one tenant that are valid at the same time. */
export const tokensOfUserMax = 1_000;

/** What stands for a person between the gateway and a control plane, from its making to its end. */
export const identityLifeSecondsMax = 60;
/** How far the clocks of two machines may be apart. */
export const identityLeewaySeconds = 5;
/** A token of the installation, and a key that identities are signed with, have so much at least. */
export const internalTokenCharsMin = 16;
export const identityKeyBytesMin = 32;

/** Entries of the audit log that are stored with one statement. */
export const auditBatchMax = 200;
/** Entries that wait to be stored: what is told beyond that waits until there is room. */
export const auditQueueMax = 10_000;
/** Entries that a check of the chain reads at a time. */
export const auditPageMax = 1_000;
/** Refused requests of one person that are written down in a second. */
export const refusalsAuditedPerSecond = 10;
/** People whose refusals are counted at the same time. */
export const refusersKeptMax = 1_000;
/** Characters of an entry's object that are kept. */
export const auditTextCharsMax = 500;
