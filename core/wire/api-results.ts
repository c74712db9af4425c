// Routes of stored results, of variables, and of rendering against an execution.

import { type } from "arktype";
import { route } from "./route.ts";
import {
  executionParams,
  id,
  json,
  map,
  name,
  someName,
  strings,
  variableParams,
} from "./shapes.ts";

export const resultRoutes = {
  putResult: route(
    "PUT /api/result/:id",
    { summary: "Store a value and get its reference", tag: "results", access: "machine" },
    {
      params: executionParams,
      body: type({ name: someName, data: "unknown", "source_step?": "string" }),
      answer: type({
        ref: "string",
        store: "string",
        scope: "string",
        bytes: "number",
        sha256: "string",
        result_ref: map,
      }),
    },
  ),
  resolveResult: route(
    "GET /api/result/resolve",
    {
      summary: "The value behind a reference",
      tag: "results",
      access: ["machine", "viewer"],
      of: ["result query.ref"],
    },
    { query: type({ ref: name }), answer: json },
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
      answer: type({ execution_id: "string", name: "string", value: json, type: "string" }),
    },
  ),
  setVariables: route(
    "POST /api/vars/:id",
    {
      summary: "Set variables from outside",
      tag: "variables",
      access: "operator",
      of: ["execution params.id"],
    },
    {
      params: executionParams,
      body: type({ variables: map, "var_type?": "string", "source_step?": "string" }),
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
