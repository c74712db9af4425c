// Every bound in the system, in one place, with its reason. Relations between bounds are held
// by tests/unit/core/model/limits.test.ts.

// --- values and results -------------------------------------------------------------------

/** A value larger than this, encoded, is stored and referenced instead of carried (DESIGN §4). */
export const inlineBytesMax = 102_400;
/** What a reference keeps of the value it stands for, so that most templates need no fetch. */
export const extractedBytesMax = 4_096;
export const extractedDepthMax = 8;
/** Strings longer than this are summarised by their length inside `extracted`. */
export const extractedStringCharsMax = 512;
/** Inline values that one live execution may hold in memory before the rest stay in the log. */
export const stateInlineBytesMax = 1_048_576;
/** The largest single result a worker may store. */
export const resultBytesMax = 256 * 1_048_576;
/** JSON deeper than this is refused everywhere; the recursion of JSON.parse itself bears more. */
export const jsonDepthMax = 2_000;
/** Error texts kept in the log are cut here; the whole text stays in the step's log lines. */
export const errorMessageCharsMax = 2_000;
export const errorTracebackCharsMax = 8_000;
/** Captured stdout or stderr of one tool call kept in an outcome. */
export const stdoutCharsMax = 65_536;

// --- playbooks ----------------------------------------------------------------------------

export const playbookBytesMax = 4 * 1_048_576;
export const playbookStepsMax = 10_000;
/** Aliases may not blow a document up: a YAML bomb of ten lines would otherwise be 10^9 nodes. */
export const yamlAliasesMax = 100;
/** Values of one playbook, counted at aliases, whose values count as often as they are used. */
export const yamlNodesMax = 1_000_000;
/** Problems of one playbook that are listed; a document of nonsense has no end of them. */
export const playbookProblemsMax = 1_000;
/** Letter pairs that all hints of one playbook may compare: hints never cost more than reading. */
export const hintCellsMax = 2_000_000;
export const stepNameCharsMax = 200;
export const planCacheEntriesMax = 500;

// --- templates ----------------------------------------------------------------------------

export const templateSourceCharsMax = 1_048_576;
export const templateStepsMax = 1_000_000;
export const templateOutputCharsMax = 10_485_760;
export const templateDepthMax = 200;
/** Compiled templates kept by text, and the longest text that is kept. */
export const templatesRememberedMax = 1_000;
export const templateRememberedCharsMax = 1_000;
/** Integers longer than this many bits are refused: their arithmetic and printing get slow. */
export const templateIntegerBitsMax = 4_096;
/** Far beyond any identifier or amount; longer digits would make parsing slow. */
export const templateIntegerLiteralCharsMax = 1_000;

// --- engine -------------------------------------------------------------------------------

/** Events one call of decide may produce; a transition beyond it goes on in the next one. */
export const decideEventsMax = 2_000;
export const loopItemsMax = 1_000_000;
/** Iterations in flight of a parallel loop that names no bound of its own. */
export const loopInFlightDefault = 64;
/** Sub-playbooks may nest this deep: a playbook that starts itself must end. */
export const childDepthMax = 32;
/** Tasks one pipeline may run, jumps and retries counted (language reference §1.5). */
export const pipelineTasksMax = 1_000_000;
/** A policy delay longer than this gives its slot back and goes on by timer (DESIGN §4). */
export const yieldDelayMsMin = 5_000;

// --- snapshots, projections, verification --------------------------------------------------

/** Events after which a state is written down again; a rebuild folds at most about as many. */
export const snapshotEvents = 5_000;
/** Values and containers of a state; a larger one is not written down: it would cost too long. */
export const snapshotPartsMax = 250_000;
/** Executions one look at the statistics of a playbook goes over, newest first. */
export const statisticsExecutionsMax = 1_000;
/** Executions of one page of verification or rebuilding, and how many of them at once. */
export const verifyPageMax = 200;
export const verifyPageDefault = 50;
export const verifyAtOnceMax = 4;
/** After so long a page ends with what it has: servers end connections that are silent for longer. */
export const verifyPageMs = 4_000;
/** Times the rows of an execution are compared anew because it moved on meanwhile. */
export const verifyTriesMax = 30;
/** Problems of one execution that are told; a log of nonsense has no end of them. */
export const verifyProblemsMax = 50;
/** Open commands of one execution whose payloads are compared with the log. */
export const verifyPayloadsMax = 200;
/** Entries of the feed that the projector takes at once, and how long it waits for new ones. */
export const projectorEntriesMax = 250;
export const projectorWaitMs = 500;
/** The longest wait after a failure. */
export const projectorWaitMsMax = 10_000;

// --- dispatch -----------------------------------------------------------------------------

export const leaseMs = 15_000;
export const leaseRenewMs = 5_000;
/** Leases that may expire under one command before it fails. */
export const leaseExpiriesMax = 3;
export const sweepMs = 1_000;
/** What is due, timers above all, is looked for this often in between: one look at an index. */
export const dueLookMs = 250;
/** Sweeps further apart than this were kept away by an outage: leases get their whole time again. */
export const sweepGapMs = 6_000;
/** A command handed over in the reply to a settle is taken back unless its worker speaks of it by then. */
export const acceptMs = 3_000;
/** Commands of one execution handed to one worker in a row while others wait in the pool. */
export const stickyCommandsMax = 32;
/** A suspect that no idle worker has come for by then makes a busy one run empty. */
export const suspectWaitMs = 2_000;
/** After this long another worker is asked, should the first not have run empty. */
export const quiesceMs = 60_000;
/** Tenants that one claim looks at; the next claim goes on after the last one served. */
export const claimTenantsMax = 64;
/** Labels of a worker, or of a command. */
export const labelsMax = 64;
/** Commands that a rule may let run at a time: each is a row that claims look through. */
export const ruleRunningMax = 10_000;
/** Starts a second that a rule may ask for. */
export const ruleRateMax = 100_000;
/** Rules there may be: a claim looks through all of them. */
export const rulesMax = 1_000;
/** Rows before a waiting one are counted up to this, and so many holders of a rule are named. */
export const aheadRowsMax = 10_000;
export const ruleHoldersMax = 20;
/** Priorities reach so far below and above 0. */
export const priorityMax = 1_000;
export const claimCommandsMax = 256;
export const settleOutcomesMax = 256;
export const flushTransitionsMax = 200;
export const flushBytesMax = 4 * 1_048_576;
/** Executions whose state one control process keeps in memory. */
export const stateCacheEntriesMax = 10_000;
/** Times a lost race or a lost connection is tried again before the request fails. */
export const appendRetriesMax = 8;

// --- HTTP ---------------------------------------------------------------------------------

export const requestBytesMax = 64 * 1_048_576;
export const pageSizeMax = 500;
export const pageSizeDefault = 100;
/** Pages by number are read from the newest on each time: deeper ones take the keyset. */
export const skippedExecutionsMax = 5_000;
/** Characters of a body that a worker's kept socket carries: a fetch is cheaper for longer ones. */
export const wireBodyCharsMax = 4_096;
/** Requests under way on one such socket, those included that nobody waits for any more. */
export const wireRequestsMax = 256;
/** Answers that a worker has not taken yet; a worker that lets more come is cut off. */
export const wireUnreadBytesMax = requestBytesMax;
/** A socket on which nothing comes back for so long, pings included, is a dead one to its server. */
export const wireSilenceMs = 30_000;
/** A request given up after so long without a sound makes its worker think so of the socket. */
export const wireDeafMs = 2_500;
/** How long a socket may take to open, and the time between two tries. */
export const wireOpenMs = 5_000;
export const wireRetryMs = 10_000;

// --- tools that run code ------------------------------------------------------------------

/** Text of one program in a step, inline or from a file. */
export const scriptBytesMax = 4 * 1_048_576;
/** Characters of stdout or stderr that one call may send to the step log; then one line says so. */
export const logCharsMax = 8 * 1_048_576;
/** A line without an end is logged in pieces of this size. */
export const logLineCharsMax = 16_384;
/** Warm python processes of one interpreter; calls beyond it wait within their own deadline. */
export const pythonRunnersMax = 16;
/** Warm processes that stay when there is nothing to do; the rest end after `idleProcessMs`. */
export const pythonRunnersIdleMax = 2;
export const idleProcessMs = 60_000;
export const pythonInterpretersMax = 4;
/** Calls after which a runner is replaced: modules that leak can't leak for ever. */
export const pythonRunnerCallsMax = 10_000;
/** A runner that has ever held more than this is replaced after the call. */
export const pythonResidentBytesMax = 1_073_741_824;
/** Address space of one runner (RLIMIT_AS); numeric libraries reserve far more than they use. */
export const pythonAddressBytesMax = 16 * 1_073_741_824;
/** QuickJS runs one call per process; calls beyond it wait within their own deadline. */
export const javascriptProcessesMax = 4;
export const javascriptProcessesIdleMax = 1;
/** Calls after which an interpreter process is replaced, as spent interpreters leave memory. */
export const javascriptProcessCallsMax = 10_000;
export const javascriptMemoryBytesMax = 64 * 1_048_576;
export const javascriptStackBytesMax = 512 * 1_024;
/** A program that has not noticed its deadline within this is killed with its process. */
export const javascriptKillGraceMs = 500;
/** Text of one shell script: it is one argument, which Linux bounds at 128 KiB. */
export const shellScriptBytesMax = 128 * 1_024 - 1;
/** Time between SIGTERM and SIGKILL for a shell command that was stopped. */
export const shellKillGraceMs = 2_000;
/** How long output is awaited after its process has died: a stray child may hold it open. */
export const processDrainMs = 250;
/** Time between two looks whether a process group that was asked to end is gone. */
export const processPollMs = 20;

// --- tools that ask others ----------------------------------------------------------------

/** Redirects one call follows; the number browsers and curl's users are used to. */
export const httpRedirectsMax = 10;
/** Connections one worker opens to one target; more calls wait for a free one. */
export const postgresPoolConnectionsMax = 8;
/** Targets kept warm; beyond it the pool unused for longest is closed. */
export const postgresPoolsMax = 16;
export const postgresIdleMs = 30_000;
/** How long the server may take to answer a connection attempt. */
export const postgresConnectMs = 15_000;
/** After this long a server that does not react to a cancel loses its connection instead. */
export const postgresCancelMs = 5_000;
/** What one database may hold in memory before it spills to its temporary folder. */
export const duckdbMemoryBytesMax = 2 * 1_073_741_824;

// --- stores -------------------------------------------------------------------------------

/** In every round of a race somebody wins: more tries than there can be connections. */
export const registerTriesMax = 200;
/** Statements whose plans are kept; the stores have about thirty texts. */
export const statementPlansMax = 200;
/** Partitions of the log are there for so many months after this one. */
export const partitionMonthsAhead = 3;
/** Of its time, what publishing and projecting get in a process that answers requests too. */
export const roleShareBesideApi = 0.2;
/** How often a control plane asks whether its database is still the same. */
export const identityWatchMs = 5_000;
/** Connections of one control process; its appends need one, its reads a few. */
export const databaseConnectionsMax = 8;
export const databaseConnectMs = 5_000;
/** The server gives a statement up after this long; no statement of the stores takes seconds. */
export const databaseStatementMs = 20_000;
/** Beyond what a statement may take, a silent connection is a dead one. */
export const databaseSilenceMs = 25_000;

// --- workers ------------------------------------------------------------------------------

/** Time a command may take whose step names no timeout. */
export const commandTimeoutMsDefault = 3_600_000;
/** A worker looks this often after claims while it has free slots, leases and deadlines. */
export const workerTickMs = 1_000;
/** A tool that has not ended this long after its abort is given up, and its slot freed. */
export const toolAbortGraceMs = 5_000;
/** How long a worker stands by in one request; shorter than replicas are waited for. */
export const standbyMs = 4_000;
/** Slots that stand by: they are nobody else's meanwhile. At most half of the free ones, rounded up. */
export const standbySlotsMax = 8;
/** When a worker that nobody can have standing by is to try it again. */
export const standbyAgainMs = 30_000;
/** Workers that stand by at one replica; the others are found by hints. */
export const standbyWorkersMax = 10_000;
export const settlesInFlightMax = 2;
/** Outcomes that are not worth parting among two requests. */
export const settlePartMin = 32;
/** First and longest wait before a request that failed is made again. */
export const workerRetryMs = 200;
export const workerRetryMsMax = 5_000;
/** A request to the control plane that has no answer by then counts as lost. */
export const controlRequestMs = 30_000;
/** A renewal counts as lost early enough for the next one to save the leases. */
export const renewRequestMs = 3_000;
/** A worker whose servers all name another database for so long ends: it has come to stay. */
export const otherDatabaseMs = 60_000;
/** Tasks of one pipeline that run in a row before the event loop gets its turn. */
export const pipelineTurnTasksMax = 100;
/** A checkpoint may not be larger, encoded; a pipeline with more to keep waits in its slot. */
export const checkpointBytesMax = inlineBytesMax / 2;
/** Compiled texts a worker keeps, and the characters they may have together. */
export const templateCacheEntriesMax = 4_096;
export const templateCacheCharsMax = 8 * 1_048_576;
/** Lines of the spool that stand for nothing any more before it is written anew. */
export const spoolDeadLinesMax = 1_000;

// --- replicas and registration ------------------------------------------------------------

/** How often a process says that it is there. */
export const runtimeHeartbeatMs = 5_000;
/** Silent for so long, a process counts as gone: it may miss two of its words. */
export const runtimeOfflineMs = 15_000;
/** The same for workers of other makes, which speak every 15 s (wire reference §6.1). */
export const foreignOfflineMs = 60_000;
/** The pause that a worker is asked to make before it registers again (wire reference §1.12). */
export const registerAgainSeconds = 3;
/** Rows of processes that are gone stay on status pages for a day. */
export const runtimeKeepMs = 86_400_000;
export const runtimeRowsMax = 10_000;
/** What one process may say of itself, encoded; names are looked up by an index. */
export const registrationBytesMax = 16_384;
export const processNameCharsMax = 200;
/** How often a replica looks which others are there. */
export const membershipRefreshMs = 1_000;
/** A replica that can't renew its machine id for so long mints no more ids. */
export const machineLeaseMs = 60_000;
/** An id that was held rests so long before another holds it: by so much may clocks be apart. */
export const machineRestMs = 60_000;
/** Clocks of a replica and of the database that are further apart are reported. */
export const clockSkewMsMax = 10_000;
/** A replica that leaves a request without an answer for so long is passed over for another. */
export const memberRequestMs = 5_000;
/** How long a replica that didn't answer is left alone: at first, and at most. */
export const memberDownMs = 1_000;
export const memberDownMsMax = 15_000;
/** A claim that comes later than this brings leases that are mostly used up. */
export const memberClaimMs = 10_000;
/** Replicas that one request is tried at. */
export const memberTriesMax = 3;

// --- feeds, the mirror of the log, retention ------------------------------------------------

/** Events one read of the feed looks at for those that match; what didn't match counts as read. */
export const feedScanEventsMax = 5_000;
/** Executions that one read of the feed may be narrowed to. */
export const feedExecutionsMax = 1_000;
/** How long a request for the feed may wait for something to come. */
export const feedWaitMsMax = 25_000;
/** A reader that waits looks again after this long without any hint. */
export const feedPollMs = 1_000;
/** A stream says so much as that it is there, before proxies take it for dead. */
export const streamHeartbeatMs = 15_000;
/** A role's holder that hasn't renewed for this long has lost it. */
export const roleLeaseMs = 15_000;
/** Events written to the mirror before the cursor moves on. */
export const mirrorEventsMax = 250;
/** Wait between two looks for new events, and between two tries after a failure. */
export const mirrorPollMs = 250;
export const mirrorRetryMsMax = 5_000;
/** How long messages stay in the mirror, and how long it knows a doubled one. */
export const mirrorWindowMs = 24 * 3_600_000;
export const mirrorDoubledMs = 120_000;
/** How long the files of a deleted stream are given to go before another one is made. */
export const mirrorSettleMs = 500;
/** A message of the mirror, below what NATS takes; a larger event is told without its data. */
export const mirrorMessageBytesMax = 1_000_000;
/** Executions of which the mirror remembers what every message repeats. */
export const mirrorExecutionsMax = 10_000;
/** Executions removed in one statement. */
export const purgeExecutionsMax = 500;
/** How long a try to drop a month waits for the log, and appends behind it. */
export const partitionLockMs = 50;
/** Tries to drop a month while appends keep the log busy, and the pause between two. */
export const partitionDropsMax = 20;
export const partitionDropRetryMs = 250;
/** How often the system role looks after the store. */
export const systemRoleMs = 5 * 60_000;
/** Bounded pieces of one duty in a row, so that none keeps the others waiting for ever. */
export const dutyPiecesMax = 1_000;

// --- step logs ----------------------------------------------------------------------------

/** Lines and characters that one attempt at a command may send; one line says where it ends. */
export const stepLogAttemptLinesMax = 100_000;
export const stepLogAttemptCharsMax = 16 * 1_048_576;
/** What the lines of one execution may take, with `stepLogLineBytes` for each beside its text. */
export const stepLogExecutionBytesMax = 64 * 1_048_576;
export const stepLogLineBytes = 100;
/** Lines stay for so long after the last one of their execution. */
export const stepLogKeptMs = 14 * 86_400_000;
/** One request of a worker; more goes with the next one. */
export const stepLogBatchLinesMax = 1_000;
export const stepLogBatchCharsMax = 1_048_576;
/** Lines that wait in a worker for a control plane that is away; the oldest make room. */
export const stepLogBufferCharsMax = 8 * 1_048_576;
/** Time between the beginnings of two requests: a tool that prints slowly costs few of them. */
export const stepLogPauseMs = 100;
/** Lines one page of a stream takes, and one call of the purge removes. */
export const stepLogPageLinesMax = 1_000;
export const stepLogPurgedLinesMax = 10_000;
/** A stream looks this often without a message, and says this often that it is alive. */
export const stepLogLookMs = 1_000;
export const stepLogHeartbeatMs = 5_000;
/** The last lines of an execution come a moment after its end. */
export const stepLogLateMs = 1_500;
/** Characters of lines that a live message carries; more of them are only announced. */
export const stepLogMessageCharsMax = 65_536;

// --- several workers on one machine -------------------------------------------------------

/** A worker process that died is started again after this, twice as long each time. */
export const superviseAgainMs = 500;
export const superviseAgainMsMax = 30_000;
/** One that has lived for so long starts over with the shortest wait. */
export const superviseSettledMs = 60_000;
/** So many deaths within `superviseSettledMs` mean that the workers are not well. */
export const superviseDeathsMax = 3;
