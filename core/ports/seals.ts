// Sealing of what is kept and must not be read where it lies. A sealed text is bound to its place:
// it opens nowhere else, so that rows can't be swapped.

/** The place that a sealed text belongs to. */
export interface SealedFor {
  readonly kind: "credential" | "keychain";
  readonly tenant: string;
  readonly name: string;
}

export interface Seals {
  /** The id of the key that seals. */
  readonly current: string;
  seal(text: string, bound: SealedFor): Promise<string>;
  /**
   * @throws Fault `unavailable` when the key is not at hand, `internal` for a text that was changed
   * or belongs elsewhere; the message never holds what was sealed.
   */
  open(sealed: string, bound: SealedFor): Promise<string>;
  /** Whether another key than the current one has sealed it. */
  isOld(sealed: string): boolean;
}
