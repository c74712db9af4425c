// The limits of what is wanted done once. All others stand in limits.ts.

/** Of a client's key and of its scope: both are part of one index entry. */
export const requestKeyCharsMax = 200;
/** How long a key stands for what was done by it: a week. */
export const requestKeyMsMax = 604_800_000;
/** Keys that one statement removes once their time has run out. */
export const requestKeysPurgedMax = 5_000;
/** Executions of one list that are being started at a time. */
export const startsAtOnceMax = 64;
