// Routes of stored results, of variables, and of rendering against an execution.

import { type } from "arktype";
import { route } from "./route.ts";
import {
  countText,
  executionParams,
  id,
  json,
  map,
  name,
  someName,
  strings,
  variableParams,
} from "./shapes.ts";

const stepParams = type({ id: "string", step: name });
const deletedAnswer = type({ execution_id: "string", deleted_count: "number" });
const putParts = {
  params: executionParams,
  body: type({
    name: someName,
    data: "unknown",
    "source_step?": "string",
    /** Values live as long as their execution, whatever is asked for. */
    "scope?": "'step' | 'execution' | 'workflow' | 'permanent'",
    "ttl?": "string",
  }),
  answer: type({
    ref: "string",
    store: "string",
    scope: "string",
    bytes: "number",
    sha256: "string",
    expires_at: "null",
    result_ref: map,
  }),
};
const resolveParts = { query: type({ ref: name }), answer: json };
const stepParts = {
  params: stepParams,
  query: type({ "resolve?": "'true' | 'false'" }),
  answer: type({
    execution_id: "string",
    step: "string",
    status: "string",
    /** Null for a value that stands in the log, and comes with the answer. */
    ref: "string | null",
    "result?": json,
  }),
};
const listParts = {
  params: executionParams,
  query: type({ "step_name?": name, "scope?": "string", "limit?": countText }),
  answer: type({
    execution_id: "string",
    results: type({ ref: "string", name: "string", bytes: "number" }).array(),
    count: "number",
  }),
};
const readers = { tag: "results", access: ["machine", "viewer"] } as const;

export const resultRoutes = {
  putResult: route(
    "PUT /api/result/:id",
    { summary: "Store a value and get its reference", tag: "results", access: "machine" },
    putParts,
  ),
  putTemp: route(
    "PUT /api/temp/:id",
    { summary: "Store a value, by its older address", tag: "results", access: "machine" },
    putParts,
  ),
  resolveResult: route(
    "GET /api/result/resolve",
    { ...readers, summary: "The value behind a reference", of: ["result query.ref"] },
    resolveParts,
  ),
  resolveTemp: route(
    "GET /api/temp/resolve",
    {
      ...readers,
      summary: "The value behind a reference, by its older address",
      of: ["result query.ref"],
    },
    resolveParts,
  ),
  resultStats: route(
    "GET /api/result/stats",
    {
      ...readers,
      summary: "How much is stored of an execution",
      of: ["execution query.execution_id"],
    },
    {
      query: type({ execution_id: id }),
      answer: type({
        execution_id: "string",
        count: "number",
        bytes: "number",
        /** More is stored than was counted. */
        more: "boolean",
      }),
    },
  ),
  listResults: route(
    "GET /api/result/:id/list",
    {
      ...readers,
      summary: "Stored values of an execution, by reference",
      of: ["execution params.id"],
    },
    listParts,
  ),
  listTemp: route(
    "GET /api/temp/:id/list",
    {
      ...readers,
      summary: "Stored values of an execution, by their older address",
      of: ["execution params.id"],
    },
    listParts,
  ),
  stepResult: route(
    "GET /api/result/:id/:step",
    {
      ...readers,
      summary: "What a step came to last; with `resolve=true` its value",
      of: ["execution params.id"],
    },
    stepParts,
  ),
  stepTemp: route(
    "GET /api/temp/:id/:step",
    {
      ...readers,
      summary: "What a step came to last, by its older address",
      of: ["execution params.id"],
    },
    stepParts,
  ),
  deleteResults: route(
    "DELETE /api/result/:id",
    {
      summary: "Remove the stored values of an execution that has ended",
      description:
        "Its log stays and still verifies; what stood behind the references is gone for good.",
      tag: "results",
      access: "admin",
      of: ["execution params.id"],
    },
    { params: executionParams, answer: deletedAnswer },
  ),
  deleteStepResults: route(
    "DELETE /api/result/:id/step/:step",
    {
      summary: "Remove what was stored under one name of an execution that has ended",
      tag: "results",
      access: "admin",
      of: ["execution params.id"],
    },
    { params: stepParams, answer: deletedAnswer },
  ),
  listVariables: route(
    "GET /api/vars/:id",
    {
      summary: "Variables of an execution",
      tag: "variables",
      access: "viewer",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      answer: type({ execution_id: "string", variables: map, count: "number" }),
    },
  ),
  getVariable: route(
    "GET /api/vars/:id/:name",
    { summary: "One variable", tag: "variables", access: "viewer", of: ["execution params.id"] },
    {
      params: variableParams,
      answer: type({
        execution_id: "string",
        name: "string",
        /** The name, by its older name. */
        var_name: "string",
        value: json,
        type: "string",
      }),
    },
  ),
  setVariable: route(
    "POST /api/vars/:id/:name",
    {
      summary: "Set one variable from outside",
      tag: "variables",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: variableParams,
      body: type({ value: "unknown", "source_step?": "string" }),
      answer: type({ execution_id: "string", variables_set: "number", var_names: strings }),
    },
  ),
  deleteVariables: route(
    "DELETE /api/vars/:id",
    {
      summary: "Remove all variables",
      tag: "variables",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      answer: type({ execution_id: "string", deleted_count: "number" }),
    },
  ),
  setVariables: route(
    "POST /api/vars/:id",
    {
      summary: "Set variables from outside",
      description:
        "As a map under `variables`, as a list of {var_name, var_value} there, or as a bare map.",
      tag: "variables",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      body: map,
      answer: type({ execution_id: "string", variables_set: "number", var_names: strings }),
    },
  ),
  deleteVariable: route(
    "DELETE /api/vars/:id/:name",
    {
      summary: "Remove a variable",
      tag: "variables",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: variableParams,
      answer: type({ execution_id: "string", var_name: "string", deleted: "boolean" }),
    },
  ),
  renderContext: route(
    "POST /api/context/render",
    {
      summary: "Render templates against an execution as it stands",
      tag: "context",
      access: "viewer",
      of: ["execution body.execution_id"],
    },
    {
      body: type({
        execution_id: id,
        template: "unknown",
        "extra_context?": map,
        "strict?": "boolean",
      }),
      answer: type({ status: "'ok'", rendered: json, context_keys: strings }),
    },
  ),
} as const;
