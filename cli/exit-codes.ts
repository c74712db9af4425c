// How the command line ends: the one list of exit codes.

export const exitOk = 0;
/** What was asked for could not be done, or the execution failed. */
export const exitFailed = 1;
/** The command line or a playbook is not as expected. */
export const exitUsage = 2;
/** A worker's servers have another database for good: starting it again makes nothing better. */
export const exitOtherDatabase = 3;
/** The server doesn't know who asks, or doesn't let them. */
export const exitNotAllowed = 4;
/** Cancelled: 128 and the number of the interrupt. */
export const exitCancelled = 130;
