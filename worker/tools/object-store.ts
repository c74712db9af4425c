// What the object tools ask of a store, whichever keeps the objects: S3, Google Cloud Storage by its
// S3 interface, or a folder of the worker.

import type { ToolFailure } from "./tool.ts";

/** What is stored: bytes in hand, or a file that is streamed. */
export type Content =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly path: string };

export interface StoredObject {
  readonly uri: string;
  readonly size: number;
  readonly contentType?: string;
  readonly etag?: string;
  /** ISO 8601 in UTC. */
  readonly modified?: string;
}

export interface ListOptions {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly limit: number;
  readonly startAfter: string | undefined;
}

export interface ObjectList {
  readonly objects: readonly StoredObject[];
  /** Folders, where a delimiter was given. */
  readonly prefixes: readonly string[];
  /** Where to go on; undefined at the end. */
  readonly next: string | undefined;
}

/** Every address is a whole uri of the store's own. */
export interface ObjectStore {
  put(uri: string, content: Content, contentType: string | undefined): Promise<StoredObject>;
  head(uri: string): Promise<StoredObject>;
  /** The bytes of an object whose size was looked at before. */
  get(uri: string): Promise<Uint8Array>;
  list(uri: string, options: ListOptions): Promise<ObjectList>;
  delete(uri: string): Promise<void>;
  copy(from: string, to: string): Promise<StoredObject>;
  /** The failure for what an operation threw. */
  failure(error: unknown): ToolFailure;
}
