// Which tables a backup holds, in the order in which a restore fills them, and why the others are
// not in it. A table that stands in neither list is a mistake that a test finds.

export interface BackedUpTable {
  readonly name: string;
  /** Rows that are kept; all without it. */
  readonly where?: string;
  /** Only where printed lines are asked for. */
  readonly logs?: true;
  /** Columns that the database fills by itself, or that mean something in its own place alone. */
  readonly without?: readonly string[];
}

/** Tables that others refer to come before these. */
export const backedUpTables: readonly BackedUpTable[] = [
  { name: "catalog" },
  { name: "execution" },
  // The transaction that wrote an event is a position in this database's feed, not in another's.
  { name: "event", without: ["xid"] },
  { name: "command", without: ["position"] },
  { name: "result_store" },
  { name: "rule" },
  { name: "dead_letter" },
  { name: "quarantine" },
  { name: "request_key" },
  { name: "user" },
  { name: "membership" },
  { name: "access_token", where: "kind = 'personal'" },
  { name: "audit" },
  { name: "credential" },
  { name: "schedule" },
  { name: "schedule_tick" },
  { name: "step_log_execution", logs: true },
  { name: "step_log", logs: true },
];

/** Table → why it is not in a backup. */
export const leftOutTables: Readonly<Record<string, string>> = {
  bucket: "made anew from the rules",
  cluster: "a restored database is another one",
  cursor: "places in a feed that ends with the database",
  event_batch: "answers that are kept for a day",
  frame: "folded from the log",
  keychain: "fetched again from where it came from",
  liveness: "of the processes over one database",
  machine: "of the processes over one database",
  migration: "said at the head of a backup",
  open_wait: "folded from the log",
  projection: "folded from the log",
  runtime: "of the processes over one database",
  slot: "made anew from the rules",
  snapshot: "folded from the log",
  stage: "folded from the log",
  step_log_worker: "of workers that are sending",
};
