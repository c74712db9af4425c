// The limits of keychains and of what asks providers of secrets.

/** What is kept for how long where nobody says: of one execution, and of more than one. */
export const keychainLocalSeconds = 3_600;
export const keychainSharedSeconds = 86_400;
/** No entry is kept for longer. */
export const keychainSecondsMax = 30 * 86_400;
/** A token is given out no more this long before it ends, so that it holds while it is used. */
export const tokenMarginSeconds = 30;
/** An entry is renewed once less than this part of its time is left. */
export const renewFraction = 0.2;
/** Bytes of one entry as JSON. */
export const keychainBytesMax = 256 * 1_024;
/** Who fetches an entry has so long; then the next may. */
export const keychainHoldMs = 15_000;
/** How often those who wait for another's fetch look. */
export const keychainPollMs = 50;
/** Characters of an entry's name. */
export const keychainNameCharsMax = 200;
/** Entries of one playbook. */
export const keychainEntriesMax = 200;

/** A process looks at a row of the store again after so long, and keeps so many in mind. */
export const keychainRowsKeptMs = 1_000;
export const keychainRowsKeptMax = 1_000;

/** One request to a provider, its answer included. */
export const providerRequestMs = 10_000;
/** Bytes of one answer. */
export const providerAnswerBytesMax = 1_048_576;
/** Secrets that one entry may name under `map`. */
export const providerSecretsMax = 64;

/** Different entries whose values one command may read. */
export const keychainEntriesPerCommandMax = 32;
/** A worker asks again after this long: entries are renewed meanwhile. */
export const keychainKeptByCommandMs = 60_000;

/** Texts shorter than this are not looked for: they would blank out ordinary words. */
export const secretCharsMin = 3;
/** Lines of a secret, and parts that can only be found in part, are looked for from this length. */
export const secretPartCharsMin = 8;
/** Numbers with fewer digits are not taken for secrets. */
export const secretDigitsMin = 6;
/** Texts that one command's secrets may be looked for in: beyond it the longest ones are. */
export const secretFormsMax = 50_000;

/** Rows that one piece of the purge removes, and executions that it asks for. */
export const keychainPurgeRows = 500;
