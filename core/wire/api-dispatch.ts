// Routes about what decides when commands run: rules, what holds an execution up, and what was
// given up.

import { type } from "arktype";
import { route } from "./route.ts";
import { countText, executionParams, map, name, strings } from "./shapes.ts";

const rule = type({
  key: "string",
  "max_running?": "number",
  "per_second?": "number",
  "burst?": "number",
  running: "number",
  "next_start_ms?": "number",
  holders: type({
    execution_id: "string",
    command_id: "string",
    worker: "string",
    held_ms: "number",
  }).array(),
});

const ruleParams = type({ key: name });

/** What holds a command up: a code for programs, a sentence for people, and the facts. */
const hold = type({ code: "string", text: "string", "details?": map });

const waiting = type({
  command_id: "string",
  step: "string",
  attempt: "number",
  state: "'ready' | 'leased' | 'expired' | 'timer' | 'child' | 'wait'",
  holds: hold.array(),
});

const givenUp = type({
  "command_id?": "string",
  execution_id: "string",
  "step?": "string",
  "attempt?": "number",
  reason: "'poisoned' | 'result_rejected' | 'quarantined'",
  message: "string",
  "worker?": "string",
  at: "string",
});

const letterParams = type({ command_id: name });

export const dispatchRoutes = {
  listRules: route(
    "GET /api/rules",
    {
      summary: "Rules on how much may run, and what runs under them",
      tag: "dispatch",
      access: "viewer",
    },
    { answer: type({ rules: rule.array() }) },
  ),
  putRule: route(
    "PUT /api/rules/:key",
    { summary: "Set a rule, or change it at once", tag: "dispatch", access: "platform" },
    {
      params: ruleParams,
      body: type({
        "max_running?": "number | null",
        "per_second?": "number | null",
        "burst?": "number | null",
      }),
      answer: rule,
    },
  ),
  deleteRule: route(
    "DELETE /api/rules/:key",
    { summary: "Remove a rule", tag: "dispatch", access: "platform" },
    { params: ruleParams, answer: type({ deleted: "true", key: "string" }) },
  ),
  why: route(
    "GET /api/executions/:id/why",
    {
      summary: "What holds an execution up",
      tag: "dispatch",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      query: type({ "step?": name }),
      answer: type({
        execution_id: "string",
        path: "string",
        status: "string",
        holds: hold.array(),
        waiting: waiting.array(),
        text: strings,
      }),
    },
  ),
  listDeadLetters: route(
    "GET /api/dead-letters",
    {
      summary: "Commands that were given up, and executions in quarantine",
      tag: "dispatch",
      access: "viewer",
    },
    {
      query: type({ "limit?": countText }),
      answer: type({ dead_letters: givenUp.array() }),
    },
  ),
  retryDeadLetter: route(
    "POST /api/dead-letters/:command_id/retry",
    {
      summary: "Start the playbook again; of an execution in quarantine: replay it again",
      tag: "dispatch",
      access: "operator",
      of: ["command params.command_id"],
    },
    {
      params: letterParams,
      answer: type({ execution_id: "string", status: "'started' | 'lifted'" }),
    },
  ),
  dropDeadLetter: route(
    "DELETE /api/dead-letters/:command_id",
    {
      summary: "Drop a dead letter",
      tag: "dispatch",
      access: "operator",
      of: ["command params.command_id"],
    },
    { params: letterParams, answer: type({ dropped: "true", command_id: "string" }) },
  ),
} as const;
