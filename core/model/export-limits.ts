// The limits of what is told to others of the log: exports, traces, metrics, search.

/** Events that one look of an export takes. */
export const exportEventsMax = 1_000;
/** How often an export looks for new events. */
export const exportPollMs = 1_000;
/** Of one request to a collector, before compression. */
export const exportBodyBytesMax = 1_000_000;
/** Waits before a request is made again: doubled each time, from the first to the last. */
export const exportRetryMs = 1_000;
export const exportRetryMsMax = 60_000;
/** A server that asks for more patience than this is asked again all the same. */
export const exportPatienceMsMax = 600_000;
/** How long one request may take. */
export const exportRequestMsMax = 30_000;
/** What is read of an answer, to say what was wrong. */
export const exportAnswerCharsMax = 2_000;
/** Parts of executions whose beginning is known and whose end isn't, of one export. */
export const exportOpenMax = 50_000;
/** Executions of which an export remembers what every event would repeat. */
export const exportExecutionsMax = 10_000;
/** Events of one read of an execution's log. */
export const exportLogPageMax = 1_000;
/** Characters of an error's message that are told. */
export const exportMessageCharsMax = 2_000;
/** Series that an export counts; the rest is counted as one. */
export const exportSeriesMax = 1_000;

/** Between two pushes of a process's own numbers. */
export const metricsPushMs = 15_000;
/** How old what is asked of the store for them may be. */
export const metricsLookMs = 5_000;

/** Texts that are turned into vectors by one request, and characters of each. */
export const embeddingTextsMax = 64;
export const embeddingCharsMax = 8_000;
/** Numbers of a vector made of words. */
export const wordVectorSize = 384;
/** Numbers of a vector that an endpoint may answer with. */
export const vectorSizeMax = 16_384;
/** Of a question: what is longer is cut, not refused. */
export const searchCharsMax = 10_000;
export const searchItemsMax = 100;
