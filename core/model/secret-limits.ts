// Limits of credentials and of their sealing. The idea of their form is that of limits.ts.

/** The fields of one credential, as JSON: a service account's key has 2,400. */
export const credentialBytesMax = 65_536;
/** Of what may be told of a credential: its `meta`, as JSON. */
export const credentialMetaBytesMax = 16_384;
/** Of a credential's name. */
export const credentialNameCharsMax = 200;
export const credentialDescriptionCharsMax = 2_000;
/** Tags of one credential, and names in each of the lists of who may use it. */
export const credentialTagsMax = 64;
export const credentialAllowMax = 256;
/** Of one tag, of one pattern of paths. */
export const credentialPatternCharsMax = 300;
/** Credentials of one page. */
export const credentialsPageMax = 500;
/** Rows that one replica keeps in mind, sealed as they are, and for how long. */
export const credentialsKeptMax = 1_000;
export const credentialsKeptMs = 5_000;
/** Credentials that one step of a rotation seals anew. */
export const resealedAtOnceMax = 100;
/** Of a worker's public key, as JSON: one of X25519 has 90. */
export const sealingKeyCharsMax = 500;
/** Keys of one ring, the one that seals among them. */
export const masterKeysMax = 16;
/** How long a file of keys is taken for unchanged without looking. */
export const keyFileLookMs = 5_000;

/** Of a statement that somebody runs over the API. */
export const outsideSqlMs = 30_000;
export const outsideSqlRowsMax = 10_000;
export const outsideSqlBytesMax = 16_777_216;
export const outsideSqlCharsMax = 1_000_000;
export const outsideSqlParametersMax = 1_000;
/** Rows that are read at a time. */
export const outsideSqlPage = 1_000;
/** Of a statement's text, in the audit log. */
export const auditedSqlChars = 200;

/** Executions that the numbers of a dashboard are counted over, and how long they are kept. */
export const dashboardExecutionsMax = 10_000;
export const dashboardKeptMs = 5_000;

/** Events of one consumer of the outbox that are under way; beyond them none is given. */
export const outboxOpenMax = 1_000;
/** What was taken and not heard of again comes again after so long. */
export const outboxFlightMs = 60_000;
/** The first wait of an event that failed; it doubles. */
export const outboxRetryMs = 1_000;
/** Events that are counted as waiting. */
export const outboxPendingMax = 1_000;
