// What showing a run needs of the place where it runs.

import type { ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";
import type { EventSource } from "./follow.ts";
import type { OutputLine, RetryLine } from "./run-view.ts";

export interface RunListener {
  output(line: OutputLine): void;
  retry(line: RetryLine): void;
  notice(text: string): void;
}

/** What a run is started with. */
export interface RunRequest {
  readonly workload: JsonObject;
  /** As POST /api/execute has them. */
  readonly priority?: number;
  readonly tenant?: string;
}

export interface RunHost {
  readonly source: EventSource;
  /** Whether sub-playbooks that nobody waits for end with this process. */
  readonly untilChildrenEnd: boolean;
  /** Output of tools and advice go to the listener from now on. */
  listen(listener: RunListener): void;
  /** Resolves when the listener has heard all that tools printed, once the run has ended. */
  heard(): Promise<void>;
  /** Registers what has to be and starts the execution. */
  start(request: RunRequest): Promise<ExecutionId>;
  cancel(id: ExecutionId): Promise<void>;
  /** The value behind a reference. */
  resolve(ref: ResultRef): Promise<Json>;
  /** Where the log of the execution is kept, for people; undefined if not here. */
  logFile(id: ExecutionId): string | undefined;
  close(): Promise<void>;
}
