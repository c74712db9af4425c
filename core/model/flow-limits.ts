// Bounds of what leads an execution from step to step: guards, events of playbooks, waits and the
// answers to them, delays of policies. Everything else is in limits.ts.

const yearMs = 365 * 86_400_000;

/** Guards in a row that do not hold, with no step entered: in a larger playbook, one for each step. */
export const guardsInRowMax = 1_000;
/** Events of its own that a step may make known. */
export const emitsMax = 32;
/** A name is part of a bus subject. */
export const eventNameCharsMax = 200;
/** Keys of waits are looked up, and stand in addresses. */
export const waitKeyCharsMax = 200;
/** Answers that an execution keeps for waits that have not begun. */
export const earlyAnswersMax = 1_000;
/** Keys of the last answered waits that an execution remembers, to know a repetition. */
export const answeredKeysMax = 1_000;
/** How long anything may be waited for. */
export const waitMsMax = 10 * yearMs;
/** A growing delay of a policy stops growing here. */
export const policyDelayMsMax = 10 * yearMs;
