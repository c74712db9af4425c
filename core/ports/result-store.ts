// Bytes behind references: content-addressed, written before the event that names them.

export interface StoredResult {
  readonly ref: string;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export interface ResultStore {
  /** Idempotent: the same ref has the same bytes. */
  put(result: StoredResult): Promise<void>;
  get(ref: string): Promise<StoredResult | undefined>;
  /** References of one execution with their sizes, by ref. */
  list(
    prefix: string,
    limit: number,
  ): Promise<readonly { readonly ref: string; readonly bytes: number }[]>;
  remove(refs: readonly string[]): Promise<void>;
}
