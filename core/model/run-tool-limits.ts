// Bounds of the tools that run something outside of the worker (language reference §2.2): other
// people's servers, clusters and warehouses, none of which may hold a slot or fill a memory.

// --- mcp ----------------------------------------------------------------------------------

export const mcpTimeoutMsDefault = 60_000;
/** Of one answer of a server, before it is read as JSON. */
export const mcpMessageBytesMax = 16 * 1_048_576;
/** A stream that ended may still have its last message on the way to whoever reads it. */
export const mcpEndMs = 1_000;
/** What a server is given to hear that a session is over; nobody waits for its answer longer. */
export const mcpGoodbyeMs = 1_000;

// --- container ----------------------------------------------------------------------------

export const containerTimeoutSecondsDefault = 3_600;
/** Of the whole description of a job; etcd takes no more than 1.5 MB. */
export const containerJobBytesMax = 1_048_576;
export const kubernetesRequestMs = 30_000;
/** Of an answer of the cluster: a job with its status is some kilobytes. */
export const kubernetesAnswerBytesMax = 4 * 1_048_576;
/** A job that ended stays this long for whoever looks, then the cluster removes it. */
export const containerJobKeptSeconds = 86_400;
/** `noetl-` and sixteen digits of a digest. */
export const jobNameChars = 22;
/** What a local runtime is given to stop a container before it is removed. */
export const containerKillMs = 5_000;

// --- snowflake ----------------------------------------------------------------------------

export const snowflakeLoginMs = 30_000;
/** What a session is given to end; a server that does not answer ends it by itself. */
export const snowflakeGoodbyeMs = 2_000;
export const snowflakeStatementsMax = 1_000;
/** Processes that speak to Snowflake, each for one call at a time; calls beyond it wait. */
export const snowflakeProcessesMax = 8;
/** What is beyond the goodbye before a process that was told to stop is killed. */
export const snowflakeKillGraceMs = 500;
