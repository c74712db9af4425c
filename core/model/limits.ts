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

// --- dispatch -----------------------------------------------------------------------------

export const leaseMs = 15_000;
export const leaseRenewMs = 5_000;
/** Leases that may expire under one command before it fails. */
export const leaseExpiriesMax = 3;
export const sweepMs = 1_000;
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

// --- workers ------------------------------------------------------------------------------

/** Time a command may take whose step names no timeout. */
export const commandTimeoutMsDefault = 3_600_000;
/** A worker looks this often after claims while it has free slots, leases and deadlines. */
export const workerTickMs = 1_000;
/** A tool that has not ended this long after its abort is given up, and its slot freed. */
export const toolAbortGraceMs = 5_000;
export const settlesInFlightMax = 2;
/** First and longest wait before a request that failed is made again. */
export const workerRetryMs = 200;
export const workerRetryMsMax = 5_000;
/** A request to the control plane that has no answer by then counts as lost. */
export const controlRequestMs = 30_000;
/** A renewal counts as lost early enough for the next one to save the leases. */
export const renewRequestMs = 3_000;
/** Tasks of one pipeline that run in a row before the event loop gets its turn. */
export const pipelineTurnTasksMax = 100;
/** A checkpoint may not be larger, encoded; a pipeline with more to keep waits in its slot. */
export const checkpointBytesMax = inlineBytesMax / 2;
/** Compiled texts a worker keeps, and the characters they may have together. */
export const templateCacheEntriesMax = 4_096;
export const templateCacheCharsMax = 8 * 1_048_576;
/** Lines of the spool that stand for nothing any more before it is written anew. */
export const spoolDeadLinesMax = 1_000;
/** Messages that wait for one subscriber of the memory bus; the oldest make room for new ones. */
export const busQueueMessagesMax = 10_000;
