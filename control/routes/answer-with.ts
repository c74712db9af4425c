// Answers that say more than their body: another status, headers of their own.

import type { Fault } from "#core/model/fault";
import { problemBody, statusOf } from "#core/wire/problem";

/** The answer of a route, with a status or with headers. */
export function answerWith<Answer>(answer: Answer, init: ResponseInit): Answer {
  // `mount` passes a response on as it is; what it holds is the answer that the contract names.
  return Response.json(answer, init) as unknown as Answer;
}

/** A refusal that says when to ask again. */
export function refusedFor<Answer>(fault: Fault, retryAfterSeconds: number): Answer {
  const headers = { "retry-after": String(retryAfterSeconds) };
  // As above; a problem is what every route may answer with.
  return Response.json(problemBody(fault), {
    status: statusOf(fault.code),
    headers,
  }) as unknown as Answer;
}
