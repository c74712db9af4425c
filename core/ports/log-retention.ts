// How a log stays within bounds: room ahead of it, and an end for what is old and not needed.

/** A month of executions, by when they were started. */
export interface LogMonth {
  readonly name: string;
  /** Ids of its executions: from `low` on, below `high`; decimal. */
  readonly low: string;
  readonly high: string;
}

/** `kept`: an execution of that month is there; `busy`: the log was not free, try again. */
export type DropVerdict = "dropped" | "kept" | "busy";

export interface LogRetention {
  /** Makes room for the coming months; returns how much was missing. Doing it again is free. */
  prepare(): Promise<number>;
  /**
   * Months older than so many days whose executions have all ended that long ago, and which no
   * running one descends from; oldest first.
   */
  expired(days: number): Promise<readonly LogMonth[]>;
  /** Removes executions of the month with their results, at most so many; returns how many. */
  purge(month: LogMonth, executionsMax: number): Promise<number>;
  /** Removes the month's events once its executions are gone; never makes an append wait long. */
  drop(month: LogMonth): Promise<DropVerdict>;
}
