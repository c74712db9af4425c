// How far the roles of a control plane have got, and which process has a role. A role has one holder
// at a time; what an earlier holder still writes changes nothing.
//
// C1  Of any number that ask for a free name, one gets it; times are the store's own.
// C2  The fence grows with every holder, and each write names it.

export interface CursorHold {
  readonly name: string;
  readonly owner: string;
  readonly fence: number;
}

export interface HeldCursor extends CursorHold {
  /** What the last advance wrote; its meaning is the role's. */
  readonly position?: string;
}

export interface CursorStore {
  /** Takes the name if nobody holds it, or its holder's lease has run out; else undefined. */
  take(name: string, owner: string, leaseMs: number): Promise<HeldCursor | undefined>;
  /** Extends the lease, also one that ran out and that nobody took; false when somebody did. */
  renew(hold: CursorHold, leaseMs: number): Promise<boolean>;
  /** Writes the position, if the name is still this holder's; false when it isn't. */
  advance(hold: CursorHold, position: string): Promise<boolean>;
  /** Lets the next one in at once. */
  release(hold: CursorHold): Promise<void>;
  /** Who holds what and how far they are, for status pages; by name. */
  list(): Promise<
    readonly {
      readonly name: string;
      readonly owner?: string;
      readonly position?: string;
      readonly held: boolean;
    }[]
  >;
}
