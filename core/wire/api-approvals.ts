// Signals and approvals: what executions wait for, and how people and other systems answer it.

import { type } from "arktype";
import { waitKeyCharsMax } from "#core/model/flow-limits";
import {
  approvalCommentCharsMax,
  waitTokenCharsMax,
  waitTokenMsMax,
} from "#core/model/schedule-limits";
import { route } from "./route.ts";
import { countText, executionParams, id, json, map, name, someName } from "./shapes.ts";

const key = someName.and(`string <= ${waitKeyCharsMax}`);
const keyParams = executionParams.and({ key });
const comment = name.and(`string <= ${approvalCommentCharsMax}`);
const forWhat = type("'timer' | 'signal' | 'approval' | 'callback'");

const wait = type({
  command_id: "string",
  execution_id: "string",
  step: "string",
  key: "string",
  for: "string",
  since: "string",
  due: "string | null",
  /** Who may answer: `roles` and `users`. */
  "who?": map,
  "about?": map,
});

const answered = type({
  /** `accepted_stale`: nobody waits for it any more. */
  status: "'accepted' | 'duplicate' | 'accepted_stale'",
  execution_id: "string",
  key: "string",
});

const pageOfWaits = type({ waits: wait.array(), next_after: "string | null" });

export const approvalsRoutes = {
  signalExecution: route(
    "POST /api/executions/:id/signal",
    {
      summary: "Give an execution the signal that it waits for, also before it waits",
      description: "key, signal and name are the same.",
      tag: "waits",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      body: type({ "key?": key, "signal?": key, "name?": key, "data?": json }),
      answer: answered,
    },
  ),
  executionWaits: route(
    "GET /api/executions/:id/waits",
    {
      summary: "What an execution waits for, as it stands now",
      tag: "waits",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      answer: type({ execution_id: "string", waits: wait.array() }),
    },
  ),
  listWaits: route(
    "GET /api/waits",
    {
      summary: "What all executions wait for",
      description: "Read off the log, and behind it by less than a second.",
      tag: "waits",
      access: "viewer",
      of: ["execution query.execution_id"],
    },
    {
      query: type({
        "for?": forWhat,
        "execution_id?": id,
        "after?": name,
        "limit?": countText,
      }),
      answer: pageOfWaits,
    },
  ),
  listApprovals: route(
    "GET /api/approvals",
    {
      summary: "Approvals that whoever asks may give",
      description: "A page may be shorter than its limit, and still not be the last one.",
      tag: "waits",
      access: "viewer",
    },
    { query: type({ "after?": name, "limit?": countText }), answer: pageOfWaits },
  ),
  executionApprovals: route(
    "GET /api/executions/:id/approvals",
    {
      summary: "Approvals that an execution waits for",
      tag: "waits",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      answer: type({
        execution_id: "string",
        /** `allowed`: whether whoever asks may give it. */
        approvals: wait.and({ allowed: "boolean" }).array(),
      }),
    },
  ),
  answerApproval: route(
    "POST /api/executions/:id/approvals/:key",
    {
      summary: "Approve or reject",
      description:
        "For those whom the step names; an operator where it names nobody. The first decision counts.",
      tag: "waits",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: keyParams,
      body: type({ decision: "'approve' | 'reject'", "comment?": comment }),
      answer: answered,
    },
  ),
  approvalLink: route(
    "POST /api/approvals/links",
    {
      summary: "A token by which somebody without an account answers one wait, once",
      description: "For whoever may give the answer; it is given in the name of the role.",
      tag: "waits",
      access: "viewer",
      of: ["execution body.execution_id"],
    },
    {
      body: type({
        execution_id: id,
        key,
        /** In whose name, shown with the answer. */
        "role?": someName.and("string <= 100"),
        "expires_in_seconds?": type(`1 <= number.integer <= ${waitTokenMsMax / 1_000}`),
      }),
      answer: type({ url_token: "string", expires_at: "string" }),
    },
  ),
  answerWait: route(
    "POST /api/waits/answer",
    {
      summary: "Answer what the token is for",
      description: "A decision for an approval, data for a signal or a callback.",
      tag: "waits",
      access: "link",
    },
    {
      body: type({
        token: name.and(`string <= ${waitTokenCharsMax}`),
        "decision?": "'approve' | 'reject'",
        "data?": json,
        "comment?": comment,
      }),
      answer: answered,
    },
  ),
} as const;
