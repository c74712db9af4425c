// Limits and defaults of cursor loops (language reference §1.6): what a frame may claim, and how
// many frames one visit of a step may take.

/** Rows that one claim may give where the playbook says nothing, and at most. */
export const frameRowsDefault = 1;
export const frameRowsMax = 100_000;
/** What one claim may take. */
export const frameSecondsDefault = 30;
export const frameSecondsMax = 3_600;
/** What the rows of one claim may weigh as JSON; a worker's own limit may be lower. */
export const frameBytesDefault = 64 * 1_048_576;
/** For a claim's own column: the frame's lease is that of its command. */
export const frameLeaseSecondsDefault = 120;
/** How often messages that were fetched and are not recorded yet are held on to. */
export const frameHeartbeatSecondsDefault = 30;
/** Times that a frame is run, and that a claim is tried, in all. */
export const frameAttemptsDefault = 3;
export const frameAttemptsMax = 100;
/** Rows of one frame that are worked on at once. */
export const rowConcurrencyMax = 1_000;
/** Frames of one visit: what ends a loop over a queue that grows while it is drained. */
export const cursorFramesDefault = 100_000;
export const cursorFramesMax = 100_000_000;
/** Frames at once where the playbook says nothing, and at most: all of them may be issued at once. */
export const framesInFlightDefault = 1;
export const framesInFlightMax = 1_000;
/** How long the consumers that a cursor makes wait for an acknowledgement: less than one claim. */
export const messageAckWaitMs = 15_000;
