// The engine's own failures: what a playbook's text or data made impossible, as data.

import { errorMessageCharsMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { TemplateRuntimeError } from "#core/playbook/template";

export function failure(kind: string, message: string, code?: string): Failure {
  return {
    kind,
    message: message.slice(0, errorMessageCharsMax),
    retryable: false,
    ...(code === undefined ? {} : { code }),
  };
}

/** A value that a playbook's text asked for and that can't be used; caught where it was asked. */
export class Unusable extends Error {
  override readonly name = "Unusable";

  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/**
 * The failure that was thrown while something was rendered for `what`.
 * @throws what it was given, if that is neither a template's error nor an unusable value.
 */
export function failureOf(thrown: unknown, what: string): Failure {
  if (thrown instanceof Unusable) return thrown.failure;
  if (thrown instanceof TemplateRuntimeError) {
    return failure("template", `${what}: ${thrown.message}`, thrown.code);
  }
  throw thrown;
}
