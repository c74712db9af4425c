// Limits of schedules, and of the tokens and comments by which somebody answers what is waited for.

/** Between two ticks of an interval: a second to a year and a day. */
export const scheduleIntervalSecondsMin = 1;
export const scheduleIntervalSecondsMax = 31_622_400;
/** An expression that has no tick for so long is taken for a mistake. */
export const scheduleAheadMsMax = 5 * 366 * 86_400_000;
export const scheduleNameCharsMax = 200;
export const scheduleCronCharsMax = 200;
export const scheduleZoneCharsMax = 64;
/** Ticks of an outage that are made up for. */
export const scheduleCatchUpMax = 1_000;
export const scheduleCatchUpDefault = 1;
/** A tick that is later than this was missed, and is made up for only as the schedule says. */
export const scheduleLateMs = 60_000;
export const scheduleJitterSecondsMax = 86_400;
/** Between two looks at what is due. */
export const scheduleLookMs = 250;
/** How long nobody looks after the store failed. */
export const scheduleStoreAwayMs = 2_000;
/** Schedules that one look takes. */
export const scheduleDueMax = 1_000;
/** For so long a tick's key keeps it from being started again; its entry is kept longer. */
export const scheduleTickKeyMs = 604_800_000;
export const scheduleTickKeptMs = 30 * 86_400_000;
/** Entries of old ticks that one statement removes. */
export const scheduleTicksPurgedMax = 5_000;
/** Ticks in a row that could not be started, after which a schedule is reported as failing. */
export const scheduleFailuresMax = 10;
/** Ticks that one backfill starts, and so many of them at a time. */
export const backfillTicksMax = 1_000;
export const backfillAtOnceMax = 16;
export const previewTicksMax = 100;
/** Ticks that were not made up for are counted up to here. */
export const skippedTicksCountedMax = 20;

/** Of somebody who approves or rejects. */
export const approvalCommentCharsMax = 4_000;
/** A link for an answer is good for so long at most; for a week where nobody says. */
export const waitTokenMsMax = 366 * 86_400_000;
export const waitTokenMsDefault = 604_800_000;
export const waitTokenCharsMax = 4_096;
/** Between two looks of the index of open waits at the log, and entries of one. */
export const waitIndexLookMs = 250;
export const waitIndexEntriesMax = 1_000;
