// The limits of the command line and of backups. All others stand in limits.ts.

/** Characters of an access token; the longest that is shown to a server. */
export const tokenCharsMax = 4_096;
/** Characters of a context's name. */
export const contextNameCharsMax = 64;

/** Bytes of rows that one compressed frame of a backup begins with. */
export const backupFrameBytes = 4_194_304;
/** Rows that one statement of a backup reads, at most. */
export const backupPageRows = 2_000;
/** Bytes of rows that one statement of a restore writes; a row that is longer goes alone. */
export const restoreBatchBytes = 2_097_152;
/** Rows of a table that may be in one statement of a restore. */
export const restoreBatchRows = 1_000;
/** Bytes of one row of a backup; more is no backup of ours. */
export const backupLineBytesMax = 268_435_456;

/** Entries of another server's catalog that one import takes. */
export const importEntriesMax = 10_000;
/** Bytes of one answer of a server that is imported from. */
export const importAnswerBytesMax = 33_554_432;
/** How long one of its answers may take. */
export const importAnswerMs = 30_000;
