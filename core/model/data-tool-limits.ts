// The limits of the tools that move data between systems: nats, transfer, the object stores. All
// others stand in limits.ts.

/** Connections to NATS that are kept warm, one for each target; idle ones close after this. */
export const natsConnectionsMax = 16;
export const natsIdleMs = 30_000;
/** A server that has not greeted by then is taken for away. */
export const natsConnectMs = 5_000;
/** What one request to NATS may take where the call says nothing. */
export const natsRequestMs = 5_000;
/** Messages that one call may take from a stream. */
export const natsBatchMax = 1_000;

/** Rows that count as one chunk of a transfer where the call says nothing, and at most. */
export const transferChunkRowsDefault = 5_000;
export const transferChunkRowsMax = 1_000_000;
/** A chunk ends early when its text is this long. */
export const transferChunkBytesMax = 4 * 1_048_576;
/** Files through which rows pass into DuckDB are about this long. */
export const transferFileBytesMax = 64 * 1_048_576;
/** Memory of a DuckDB that a transfer opens. */
export const transferMemoryBytesMax = 192 * 1_048_576;
/** Text whose rows may make up one group of a Parquet file; its rows are never fewer, nor more. */
export const parquetGroupBytesMax = 16 * 1_048_576;
export const parquetGroupRowsMin = 2_048;
export const parquetGroupRowsMax = 122_880;
/** A JSON document is read whole, so it may not be longer; ndjson and CSV have no such limit. */
export const transferJsonBytesMax = 64 * 1_048_576;
/** Progress is logged at most this often. */
export const transferProgressMs = 1_000;
/** Rows from which the columns and types of JSON rows are told. */
export const transferSampleRowsMax = 1_000;

/** Objects that one call may list. */
export const objectListMax = 1_000;
/** Bytes of one row of text, in files and on their way into DuckDB. */
export const csvRowBytesMax = 16 * 1_048_576;
