// The limits of messages: live updates, hints, and the stream that mirrors the log. All others stand
// in limits.ts.

/** Messages that wait for one subscriber, or for a server; the oldest make room for new ones. */
export const busQueueMessagesMax = 10_000;
/** Characters of messages that wait for a server that is away. */
export const busQueueCharsMax = 8 * 1_048_576;
/** Bytes on their way to a server that has not confirmed them; beyond it messages are dropped. */
export const busUnconfirmedBytesMax = 32 * 1_048_576;
/** After so many bytes the server is asked whether it has them all. */
export const busConfirmBytes = 262_144;
/** First and longest wait before a server is tried again; half of each is jitter. */
export const busRetryMs = 100;
export const busRetryMsMax = 5_000;
export const busConnectMs = 5_000;
/** A server that has answered no ping for two of these is taken for dead. */
export const busPingMs = 5_000;
/** A request to the server's stream store that has no answer by then counts as lost. */
export const busRequestMs = 2_000;
/** Hints one transition sends to one pool; more would wake nobody who isn't awake. */
export const hintsPerTransitionMax = 64;
/** Hints one taker is given in one go. */
export const hintsFetchedMax = 64;
/** Hints that wait for somebody with room, or for the word that they are stored. */
export const hintsWaitingMax = 1_024;
/** An older hint is of no use: workers have looked by themselves meanwhile. */
export const hintUsefulMs = 5_000;
/** How long hints are kept, how much of them, and how long a doubled one is known as such. */
export const hintsKeptMs = 120_000;
export const hintsKeptBytesMax = 64 * 1_048_576;
export const hintsDoubledMs = 60_000;
/** A hint nobody has said anything about within this time is given to somebody else. */
export const hintAckMs = 2_000;
/** A hint that came at a bad time is offered again after this, and so many times in all. */
export const hintAgainMs = 100;
export const hintDeliveriesMax = 20;
/** A stream that was deleted is made again after this, half of it chance: NATS 2.9 still removes. */
export const hintStreamGoneMs = 300;
/** A fetch ends after this, and is taken for lost when the server was silent for two beats. */
export const hintFetchMs = 10_000;
export const hintFetchBeatMs = 1_000;
