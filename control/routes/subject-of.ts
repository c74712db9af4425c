// Who a started execution is said to be of: a person who has proven who they are.

import { principalOf } from "#control/access/admission";

/** Undefined for machines, which name whom they work for, and for whoever sits at this machine. */
export function subjectOf(http: Request): string | undefined {
  const { kind, via, subject } = principalOf(http);
  return kind === "person" && via !== "local" ? subject : undefined;
}
