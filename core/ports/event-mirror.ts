// A copy of the log somewhere else, for readers that have no access to this one. It is written at
// least once; what was written twice is known by its id, and the order by the position in the body.

export interface MirrorMessage {
  readonly subject: string;
  /** The event's id: a copy may drop a second message with it, and so may readers. */
  readonly id: string;
  readonly body: string;
}

export interface EventMirror {
  /** Messages older than this leave the copy by themselves. */
  readonly windowMs: number;
  /**
   * Names the copy as it stands, made if there is none: another name means that it was lost, and
   * that what it held must be written again.
   * @throws Fault `unavailable` when it can't be reached.
   */
  incarnation(): Promise<string>;
  /**
   * Resolves once all messages are kept.
   * @throws Fault `unavailable` when any may not be; all are to be written again then.
   */
  publish(batch: readonly MirrorMessage[]): Promise<void>;
  close(): Promise<void>;
}
