// Routes that workers call: claim, stand by, settle, renew, release; those for secrets are beside.

import { type } from "arktype";
import { labelsMax } from "#core/model/limits";
import { commandSecretRoutes } from "./api-command-secrets.ts";
import { route } from "./route.ts";
import { id, map, name, ordinal, someName, strings } from "./shapes.ts";

const pools = someName.array().atLeastLength(1);
const lease = type({ command_id: name, attempt: ordinal });

const labels = someName.array().atMostLength(labelsMax);
const claimBody = type({
  worker: someName,
  pools,
  "labels?": labels,
  want: "number.integer >= 0",
  "idle?": "boolean",
});

const outcome = type({
  command_id: "string",
  attempt: ordinal,
  output: type({ status: "'ok' | 'error'", "[string]": "unknown" }),
  "set?": map,
  "settled_as?": "'done' | 'error'",
  "yielded?": type({ checkpoint: map, delay_ms: "number >= 0" }),
  "claimed?": type({
    frame: "number.integer >= 0",
    row_count: "number.integer >= 0",
    "[string]": "unknown",
  }),
  "parked?": type({ key: someName, timeout_ms: "number >= 0", "about?": map }),
  duration_ms: "number >= 0",
});

const commands = type("object[]");

/** A command as one asked for by its id: what older workers are given. */
const commandView = type({
  execution_id: "string",
  node_id: "string",
  node_name: "string",
  action: "string",
  context: map,
  meta: map,
});
const eventParams = type({ event_id: name });

export const commandRoutes = {
  claim: route(
    "POST /api/commands/claim",
    { summary: "Lease commands to a worker", tag: "commands", access: "machine" },
    { body: claimBody, answer: type({ commands }) },
  ),
  standby: route(
    "POST /api/commands/standby",
    {
      summary: "Wait for commands to be made; with `want` 0, end the wait",
      tag: "commands",
      access: "machine",
    },
    { body: claimBody, answer: type({ commands, "again_ms?": "number >= 0" }) },
  ),
  settle: route(
    "POST /api/commands/settle",
    { summary: "Report outcomes and take the next commands", tag: "commands", access: "machine" },
    {
      body: claimBody.and({ outcomes: outcome.array() }),
      answer: type({ verdicts: strings, commands, "quiesce?": "boolean" }),
    },
  ),
  renew: route(
    "POST /api/commands/renew",
    { summary: "Extend the leases of running commands", tag: "commands", access: "machine" },
    {
      body: type({ worker: someName, leases: lease.array() }),
      answer: type({ verdicts: strings }),
    },
  ),
  release: route(
    "POST /api/commands/release",
    { summary: "Give unused leases back", tag: "commands", access: "machine" },
    {
      body: type({ worker: someName, leases: lease.array() }),
      answer: type({ released: "number" }),
    },
  ),
  getCommand: route(
    "GET /api/commands/:event_id",
    {
      summary: "An open command, by the event that issued it or by its own id",
      description:
        "By an event's id all open commands are looked through; `execution_id` makes that cheap.",
      tag: "commands",
      access: "machine",
    },
    {
      params: eventParams,
      query: type({ "execution_id?": id }),
      answer: commandView,
    },
  ),
  claimCommand: route(
    "POST /api/commands/:event_id/claim",
    {
      summary: "Lease this very command",
      description: "Refused while another worker has it, and always where a rule speaks of it.",
      tag: "commands",
      access: "machine",
    },
    {
      params: eventParams,
      query: type({ "execution_id?": id }),
      body: type({ worker_id: someName, "locality?": map }),
      answer: commandView.and({ status: "'ok'", event_id: "string" }),
    },
  ),
  ...commandSecretRoutes,
} as const;
