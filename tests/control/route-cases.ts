// For every route of the contract one request that goes well and the ones that are refused, as
// plain HTTP. `$id` stands for a running execution, `$ended` for one that has ended, `$command`
// for a command that worker `w1` has leased, `$letter` for one that was given up, `$catalog` for
// the playbook's entry, `$ref` for a stored value. There is a rule `pool:kept`.

import type { Api } from "#core/wire/api";
import { accessCases } from "./access-cases.ts";
import { approvalsCases } from "./approvals-cases.ts";
import { auditCases } from "./audit-cases.ts";
import { batchesCases } from "./batches-cases.ts";
import { catalogMoreCases } from "./catalog-more-cases.ts";
import { commandCases } from "./command-cases.ts";
import { commandSecretsCases } from "./command-secrets-cases.ts";
import { credentialsCases } from "./credentials-cases.ts";
import { dispatchCases } from "./dispatch-cases.ts";
import { eventsCases } from "./events-cases.ts";
import { framesCases } from "./frames-cases.ts";
import { keychainCases } from "./keychain-cases.ts";
import { mcpCases } from "./mcp-cases.ts";
import { metricsCases } from "./metrics-cases.ts";
import { outboxCases } from "./outbox-cases.ts";
import { queueCases } from "./queue-cases.ts";
import { badBodies, invalid, type RouteCase, refusedIds, unknown } from "./refused-cases.ts";
import { replayCases } from "./replay-cases.ts";
import { endCases, rerunsCases } from "./reruns-cases.ts";
import { resultCases } from "./result-cases.ts";
import { runtimeCases } from "./runtime-cases.ts";
import { schedulesCases } from "./schedules-cases.ts";
import { searchCases } from "./search-cases.ts";
import { systemCases } from "./system-cases.ts";
import { waitCases } from "./wait-cases.ts";

const logLine = {
  execution_id: "$id",
  command_id: "$command",
  attempt: 1,
  step: "s1",
  label: "task",
  stream: "stdout",
  seq: 1,
  time: 1_790_000_000_000,
  text: "hello",
};

export const routeCases: { readonly [Name in keyof Api]: RouteCase } = {
  health: { path: "/api/health", answer: { status: "ok", version: "0.0.0-test" }, refused: [] },
  execute: {
    path: "/api/execute",
    body: { path: "t/routes", workload: { who: "Ada" } },
    answer: { status: "started", commands_generated: 1, path: "t/routes", version: 1 },
    refused: [
      ...badBodies,
      invalid({}),
      invalid({ path: 1 }),
      invalid({ path: "t/routes\u0000" }),
      invalid({ path: "t/routes", payload: [1] }),
      invalid({ path: "t/routes", payload: "text" }),
      invalid({ path: "t/routes", version: 1.5 }),
      invalid({ path: "t/routes", version: 0 }),
      invalid({ path: "t/routes", version: 3_000_000_000 }),
      { body: { path: "t/nowhere" }, status: 404, code: "not_found" },
      { body: { path: "t/routes", version: 7 }, status: 404, code: "not_found" },
      { body: { catalog_id: 12 }, status: 404, code: "not_found" },
      { body: { catalog_id: "twelve" }, status: 404, code: "not_found" },
    ],
  },
  listExecutions: {
    path: "/api/executions?status=RUNNING&path=t/routes&page_size=1",
    answer: [{ path: "t/routes", status: "RUNNING", version: 1 }],
    refused: [
      ...["status=odd", "limit=x", "limit=-1", "limit=1.5", "limit=99999999999", "page=0"],
      ...[
        "page=6000&page_size=1",
        "before=x",
        "parent_execution_id=-1",
        "path=%00",
        "limit=1&limit=2",
      ],
    ].map((query) => ({ path: `/api/executions?${query}`, status: 422, code: "invalid" })),
  },
  getExecution: {
    path: "/api/executions/$ended",
    answer: { execution_id: "$ended", status: "COMPLETED", result: { sum: 3 }, failed_steps: [] },
    refused: refusedIds(),
  },
  executionStatus: {
    path: "/api/executions/$id/status",
    answer: { execution_id: "$id", status: "RUNNING", current_step: "s1", completed: false },
    refused: refusedIds("/status"),
  },
  executionEvents: {
    path: "/api/executions/$id/events?event_type=step.enter",
    answer: {
      execution_id: "$id",
      events: [{ event_type: "step.enter", step: "s1", node_name: "s1", seq: 2 }],
      pagination: { total_events: 3, next_after: null, has_next: false },
    },
    refused: [
      ...refusedIds("/events"),
      ...["after=-1", "after=x", "after=3000000000", "limit=-1"].map((query) => ({
        path: `/api/executions/$id/events?${query}`,
        status: 422,
        code: "invalid",
      })),
    ],
  },
  executionLog: {
    path: "/api/executions/$id/log?after=1&limit=1",
    answer: { execution_id: "$id", head: 3, lines: [{ seq: 2 }] },
    refused: [
      ...refusedIds("/log"),
      ...["after=-1", "after=x", "limit=-1"].map((query) => ({
        path: `/api/executions/$id/log?${query}`,
        status: 422,
        code: "invalid",
      })),
    ],
  },
  feedExecutions: {
    path: "/api/feeds/executions?ids=$id,$ended&types=playbook.started,step.enter&limit=3",
    answer: {
      events: [
        { execution_id: "$ended", seq: 1, event_type: "playbook.started", tenant_id: "default" },
        { execution_id: "$ended", seq: 2, event_type: "step.enter", stream_version: 2 },
        { execution_id: "$id", seq: 1, stream_id: "execution/$id" },
      ],
      more: true,
    },
    refused: [
      ...["after=nonsense", "after=%00", "ids=x", "ids=$id,0", "limit=-1", "wait_ms=soon"].map(
        (query) => ({ path: `/api/feeds/executions?${query}`, status: 422, code: "invalid" }),
      ),
      {
        path: "/api/feeds/executions?after=0123456789ab-1.1.1.1",
        status: 409,
        code: "conflict",
      },
      {
        path: `/api/feeds/executions?ids=${Array.from({ length: 1001 }, () => unknown).join(",")}`,
        status: 413,
        code: "too_large",
      },
    ],
  },
  feedStatus: {
    path: "/api/feeds/status",
    answer: { lag_ms: 0 },
    refused: [],
  },
  cancelExecution: {
    path: "/api/executions/$ended/cancel",
    answer: { status: "already_completed", execution_id: "$ended", cancelled_executions: [] },
    refused: [
      ...refusedIds("/cancel"),
      ...["{", "[]", { reason: 1 }, { cascade: "no" }].map(invalid),
    ],
  },
  registerCatalog: {
    path: "/api/catalog/register",
    body: {
      content:
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: r}\nworkflow: [{step: s, tool: {kind: noop}}]",
    },
    answer: { status: "success", path: "r", kind: "Playbook" },
    refused: [...badBodies, invalid({ content: 1 }), invalid({ content: "" })],
  },
  listCatalog: {
    path: "/api/catalog/list",
    body: { path: "t/routes" },
    answer: { entries: [{ path: "t/routes", version: 1, kind: "Playbook" }] },
    refused: ["{", "[]", { limit: 1.5 }, { limit: -1 }, { path: 1 }].map(invalid),
  },
  catalogResource: {
    path: "/api/catalog/resource",
    body: { catalog_id: "$catalog" },
    answer: { path: "t/routes", version: 1 },
    refused: [
      ...badBodies,
      invalid({ path: "t/routes", version: "newest" }),
      invalid({ path: "t/routes", version: 1.5 }),
      { body: { path: "t/nowhere" }, status: 404, code: "not_found" },
    ],
  },
  ...commandCases,
  ...commandSecretsCases,
  putResult: {
    path: "/api/result/$id",
    body: { name: "s1", data: { rows: [1, 2] } },
    answer: { bytes: 14, scope: "execution", expires_at: null, result_ref: { kind: "result_ref" } },
    refused: [
      ...badBodies,
      invalid({ name: "s1", data: 1, scope: "forever" }),
      invalid({ data: 1 }),
      invalid({ name: "", data: 1 }),
      invalid({ name: "s1" }),
      {
        path: `/api/result/${unknown}`,
        body: { name: "s1", data: 1 },
        status: 404,
        code: "not_found",
      },
      { path: "/api/result/x", body: { name: "s1", data: 1 }, status: 422, code: "invalid" },
    ],
  },
  resolveResult: {
    path: "/api/result/resolve?ref=$ref",
    answer: { stored: true },
    refused: [
      { path: "/api/result/resolve", status: 422, code: "invalid" },
      { path: "/api/result/resolve?ref=file:///etc/passwd", status: 422, code: "invalid" },
      { path: "/api/result/resolve?ref=noetl://nowhere", status: 404, code: "not_found" },
      {
        path: "/api/result/resolve?ref=noetl://execution/12/event/0",
        status: 404,
        code: "not_found",
      },
    ],
  },
  listVariables: {
    path: "/api/vars/$id",
    answer: { execution_id: "$id", variables: {}, count: 0 },
    refused: [
      { path: `/api/vars/${unknown}`, status: 404, code: "not_found" },
      { path: "/api/vars/x", status: 422, code: "invalid" },
    ],
  },
  getVariable: {
    path: "/api/vars/$ended/kept",
    answer: { execution_id: "$ended", name: "kept", value: [1], type: "ctx" },
    refused: [
      { path: "/api/vars/$id/nothing", status: 404, code: "not_found" },
      { path: `/api/vars/${unknown}/kept`, status: 404, code: "not_found" },
    ],
  },
  ...resultCases,
  setVariables: {
    path: "/api/vars/$id",
    body: { variables: { note: "hello" } },
    answer: { execution_id: "$id", variables_set: 1, var_names: ["note"] },
    refused: [
      ...["{", "", "[]", '"text"', "null", 12].map(invalid),
      invalid({ variables: [{ var_value: 1 }] }),
      invalid({ "": 1 }),
      invalid({ variables: [1] }),
      invalid({ variables: "text" }),
      { path: "/api/vars/$ended", body: { variables: {} }, status: 409, code: "conflict" },
      { path: `/api/vars/${unknown}`, body: { variables: {} }, status: 404, code: "not_found" },
    ],
  },
  deleteVariable: {
    path: "/api/vars/$id/nothing",
    answer: { execution_id: "$id", var_name: "nothing", deleted: false },
    refused: [
      { path: "/api/vars/$ended/kept", status: 409, code: "conflict" },
      { path: `/api/vars/${unknown}/kept`, status: 404, code: "not_found" },
    ],
  },
  sendLogs: {
    path: "/api/logs",
    body: { worker: "w1", lines: [logLine, { ...logLine, seq: 2, step: "s\u0031" }] },
    answer: { kept: 2 },
    refused: [
      ...badBodies,
      invalid({ worker: "", lines: [] }),
      invalid({ worker: "w1", lines: [{ ...logLine, execution_id: "x" }] }),
      invalid({ worker: "w1", lines: [{ ...logLine, stream: "stdin" }] }),
      invalid({ worker: "w1", lines: [{ ...logLine, step: "a\u0000" }] }),
      invalid({ worker: "w1", lines: [{ ...logLine, seq: 0 }] }),
      invalid({ worker: "w1", lines: [{ ...logLine, time: -1 }] }),
      invalid({ worker: "w1", lines: [{ ...logLine, text: 3 }] }),
      {
        body: { worker: "w1", lines: Array.from({ length: 1_001 }, () => logLine) },
        status: 413,
        code: "too_large",
      },
    ],
  },
  executionLogs: {
    path: "/api/executions/$ended/logs?step=s1&stream=stdout&attempt=1&after=0&limit=5",
    answer: { execution_id: "$ended", lines: [], next_after: null, refused: 0 },
    refused: [
      ...refusedIds("/logs"),
      ...["after=-1", "limit=x", "attempt=0", "stream=stdin", "follow=maybe", "step=%00"].map(
        (query) => ({
          path: `/api/executions/$id/logs?${query}`,
          status: 422,
          code: "invalid",
        }),
      ),
    ],
  },
  renderContext: {
    path: "/api/context/render",
    body: { execution_id: "$id", template: "{{ who }}" },
    answer: { status: "ok", rendered: "Ada" },
    refused: [
      ...badBodies,
      invalid({ execution_id: "$id" }),
      invalid({ template: "x" }),
      invalid({ execution_id: "$id", template: "{{ nosuch( }}" }),
      invalid({ execution_id: "x", template: "" }),
      { body: { execution_id: unknown, template: "" }, status: 404, code: "not_found" },
    ],
  },
  ...runtimeCases,
  ...replayCases,
  ...dispatchCases,
  ...waitCases,
  ...accessCases,
  ...auditCases,
  ...credentialsCases,
  ...keychainCases,
  ...eventsCases,
  ...queueCases,
  ...batchesCases,
  ...rerunsCases,
  ...endCases,
  ...framesCases,
  ...outboxCases,
  ...systemCases,
  ...mcpCases,
  ...catalogMoreCases,
  ...schedulesCases,
  ...approvalsCases,
  ...metricsCases,
  ...searchCases,
};
