// PostgreSQL's COPY as streams of CSV: rows out in blocks that hold whole rows, rows in with the
// server's own pace. The socket is paused while nobody takes what has come.

import type { PoolClient, Submittable } from "pg";
import { type CopyStreamQuery, from as copyFrom } from "pg-copy-streams";

import { cutShort } from "./cut-short.ts";
import type { Block } from "./transfer-rows.ts";

/** Blocks that may wait before the server is made to wait. */
const waitingBlocksMax = 2;

/** What the client calls of a running query; its own types do not say so. */
interface CopyOutQuery extends Submittable {
  handleCopyData(message: { readonly chunk: Buffer }): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
  handleError(error: unknown): void;
}

interface PausableConnection {
  readonly stream: { pause(): void; resume(): void };
}

/** Rows as they come, gathered into blocks; the client uses the bytes it hands out again. */
function blockBuilder(blockBytes: number) {
  let buffer = Buffer.allocUnsafe(0);
  let bytes = 0;
  let rows = 0;
  return {
    /** False for a row that the block has no room for; a block of one row is as long as it is. */
    add: (row: Buffer): boolean => {
      if (rows > 0 && bytes + row.length > buffer.length) return false;
      if (rows === 0) buffer = Buffer.allocUnsafe(Math.max(blockBytes, row.length));
      bytes += row.copy(buffer, bytes);
      rows++;
      return true;
    },
    /** The block so far, which is begun anew. */
    take: (): Block | undefined => {
      if (rows === 0) return undefined;
      const block = { bytes: buffer.subarray(0, bytes), rows };
      bytes = 0;
      rows = 0;
      return block;
    },
  };
}

/**
 * The rows of `COPY … TO STDOUT`; every message of the server is one row. No block is longer than
 * `blockBytes`, but for a row that is so by itself.
 */
export async function* copyOut(
  client: PoolClient,
  sql: string,
  blockBytes: number,
): AsyncGenerator<Block> {
  const blocks: Block[] = [];
  const builder = blockBuilder(blockBytes);
  let failed: { readonly error: unknown } | undefined;
  let isDone = false;
  let stream: PausableConnection["stream"] | undefined;
  let wake = (): void => undefined;

  const handOn = (): void => {
    const block = builder.take();
    if (block === undefined) return;
    blocks.push(block);
    if (blocks.length >= waitingBlocksMax) stream?.pause();
    wake();
  };
  const end = (): void => {
    isDone = true;
    wake();
  };
  const query: CopyOutQuery = {
    submit: (connection) => {
      // The socket is the connection's own, and the one handle on how fast it is read.
      stream = (connection as unknown as PausableConnection).stream;
      connection.query(sql);
    },
    handleCopyData: ({ chunk }) => {
      if (builder.add(chunk)) return;
      handOn();
      builder.add(chunk);
    },
    handleCommandComplete: handOn,
    handleReadyForQuery: end,
    handleError: (error) => {
      failed = { error };
      end();
    },
  };
  client.query(query);
  for (;;) {
    const block = blocks.shift();
    if (block !== undefined) {
      if (blocks.length < waitingBlocksMax) stream?.resume();
      yield block;
    } else if (isDone) {
      break;
    } else {
      const waiting = Promise.withResolvers<void>();
      wake = waiting.resolve;
      await waiting.promise;
    }
  }
  if (failed !== undefined) throw failed.error;
}

/** A running `COPY … FROM STDIN`. */
export interface CopyIn {
  /** Resolves when the way to the server has room again. @throws what the server refused with. */
  write(bytes: Uint8Array): Promise<void>;
  /** The rows that the server took. */
  end(): Promise<number>;
}

export function copyIn(client: PoolClient, sql: string): CopyIn {
  const stream: CopyStreamQuery = client.query(copyFrom(sql));
  const { cut, bounded } = cutShort();
  stream.on("error", cut);
  const written = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  const ended = (): Promise<void> =>
    new Promise((resolve) => {
      stream.end(resolve);
    });
  return {
    write: (bytes) => bounded(written(bytes)),
    end: async () => {
      await bounded(ended());
      return stream.rowCount;
    },
  };
}
