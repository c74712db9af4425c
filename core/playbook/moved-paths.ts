// Where the parts of a document stood before older forms were rewritten, so that whatever is said
// of the rewritten document points at what its author wrote.

import type { DocumentPath } from "./document.ts";
import { pathOf, type Trail } from "./problems.ts";

export interface MovedPaths {
  /** What is at `now` was written at `was`, with everything inside it that moved no further. */
  move(now: Trail, was: Trail): void;
  /** The path as it was written: by the longest beginning of it that has moved. */
  was(path: DocumentPath): DocumentPath;
}

export function movedPaths(): MovedPaths {
  const moves = new Map<string, DocumentPath>();
  return {
    move: (now, was) => moves.set(JSON.stringify(pathOf(now)), pathOf(was)),
    was: (path) => {
      if (moves.size === 0) return path;
      for (let length = path.length; length > 0; length--) {
        const was = moves.get(JSON.stringify(path.slice(0, length)));
        if (was !== undefined) return [...was, ...path.slice(length)];
      }
      return path;
    },
  };
}
