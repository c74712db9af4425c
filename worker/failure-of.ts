// The one place where what was thrown becomes a failure: what a tool meant to say is kept, a
// template's error names its place, and anything else is the tool's own breakage.

import { Fault, messageOf } from "#core/model/fault";
import { errorMessageCharsMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { TemplateRuntimeError, TemplateSyntaxError } from "#core/playbook/template";
import { ToolFailure } from "#worker/tools/tool";

/** The failure that `thrown` means for `what` (`task fetch`); its message is bounded. */
export function failureOf(thrown: unknown, what: string): Failure {
  if (thrown instanceof ToolFailure) return bounded(thrown.failure);
  if (thrown instanceof TemplateRuntimeError) {
    return failure("template", `${what}: ${thrown.message}`, { code: thrown.code });
  }
  if (thrown instanceof TemplateSyntaxError) {
    return failure("template", `${what}: ${thrown.message}`, { code: "syntax" });
  }
  if (thrown instanceof Fault) {
    const { code, retryable } = thrown;
    return failure("control", `${what}: ${thrown.message}`, { code, retryable });
  }
  return failure("tool", `${what}: ${messageOf(thrown)}`);
}

export interface FailureParts {
  readonly code?: string;
  readonly retryable?: boolean;
}

export function failure(kind: string, message: string, parts: FailureParts = {}): Failure {
  return bounded({
    kind,
    message,
    retryable: parts.retryable ?? false,
    ...(parts.code === undefined ? {} : { code: parts.code }),
  });
}

/** The failure with its message cut to what the log keeps. */
export function bounded(of: Failure): Failure {
  return of.message.length <= errorMessageCharsMax
    ? of
    : { ...of, message: of.message.slice(0, errorMessageCharsMax) };
}

/** Whether asking the control plane the same again later may help; lost connections may. */
export function mayHelpLater(thrown: unknown): boolean {
  return thrown instanceof Fault ? thrown.retryable : true;
}
