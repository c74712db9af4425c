// Who may answer what is waited for, and what a decision comes to.

import type { WaitState } from "#core/engine/state";
import { rejection } from "#core/engine/waits";
import { atLeast, isRole, type Principal, type Role } from "#core/model/access";
import type { Json, JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";

export type Approver = Pick<Principal, "kind" | "role" | "subject" | "platform">;

/**
 * Whether this one may answer: an operator; of an approval those whom the step names, by the lowest of
 * their roles or by themselves. Who runs the installation may answer everything.
 */
export function mayAnswer(
  { kind, role, subject, platform }: Approver,
  { for: what, who }: Pick<WaitState, "for" | "who">,
): boolean {
  if (platform === true) return true;
  if (kind !== "person") return false;
  const [roles, users] = [textsOf(who?.roles), textsOf(who?.users)];
  if (what !== "approval" || (roles.length === 0 && users.length === 0)) {
    return atLeast(role, "operator");
  }
  const named = roles.filter((each): each is Role => isRole(each));
  if (named.some((each) => atLeast(role, each))) return true;
  const own = subject.toLowerCase();
  return users.some((user) => user.toLowerCase() === own);
}

/** A text, or a list of them. */
function textsOf(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).filter((item) => typeof item === "string");
}

export interface Decision {
  readonly decision: "approve" | "reject";
  readonly comment?: string;
  /** Who decided. */
  readonly by: string;
  readonly atMs: number;
}

/** What the step that waited comes to: a rejection is a failure, and arcs may branch on it. */
export function decisionOutput({ decision, comment, by, atMs }: Decision): Output {
  const data: JsonObject = {
    approved: decision === "approve",
    by,
    at: new Date(atMs).toISOString(),
    comment: comment ?? null,
  };
  if (decision === "approve") return { status: "ok", data };
  return { status: "error", data, error: rejection(by) };
}
