// The limits of what the API takes at once. All others stand in limits.ts.

/** Executions that one request may start. */
export const batchExecutionsMax = 1_000;
/** For how long a client's key stands for what it started, unless it says otherwise: a day. */
export const dedupSecondsDefault = 86_400;
/** The longest that a client may ask for: a week. */
export const dedupSecondsMax = 604_800;
/** Events that one request may bring. */
export const batchEventsMax = 256;
/** Of the payloads of one batch of events, as JSON text. */
export const batchEventsBytesMax = 2_097_152;
/** How long the answer to a batch of events is kept for whoever asks again. */
export const eventBatchKeptMs = 86_400_000;
/** Batches that one statement removes once their time is over. */
export const eventBatchesPurgedMax = 5_000;
/** Of an error that comes with an event. */
export const eventErrorCharsMax = 2_000;
/** Names of events from outside. */
export const eventNameCharsMax = 200;
/** Executions that one clean-up may end. */
export const cleanupExecutionsMax = 1_000;
/** Jobs of one execution that may be open at a time. */
export const openJobsMax = 1_000;
/** Of a job's action and of its input, as JSON text. */
export const jobBytesMax = 262_144;
/** The shortest and the longest lease that a client of the queue may ask for. */
export const queueLeaseSecondsMin = 5;
export const queueLeaseSecondsMax = 3_600;
/** Frames that one request may lease. */
export const framesClaimedMax = 100;
/** After how many seconds a client that found a command leased by another may ask again. */
export const claimAgainSeconds = 2;
/** Stored values of an execution that one list may name. */
export const resultsListedMax = 1_000;
/** Of what an execution that begins in the middle knows, in its first event; more is referred to. */
export const resumedInlineBytesMax = 65_536;
/** Of one value of that. */
export const resumedValueBytesMax = 8_192;
/** How long a frame is leased to a client that doesn't say. */
export const frameLeaseSecondsDefault = 60;
