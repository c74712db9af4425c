// Routes of the variables of an execution.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";
import { changeVariables } from "#control/services/lifecycle";
import { variablesOf } from "#control/services/views";
import { varsInput } from "#control/services/wire/vars-input";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { api } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function variableRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.listVariables, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const variables = await variablesOf(executions, id);
    const described = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, { value, type: "ctx" }]),
    );
    return { execution_id: id, variables: described, count: Object.keys(described).length };
  });
  mount(app, api.getVariable, async ({ params: { id: text, name } }) => {
    const id = parseExecutionId(text);
    const variables = await variablesOf(executions, id);
    if (!Object.hasOwn(variables, name)) {
      throw new Fault("not_found", `execution ${id} has no variable ${name}`);
    }
    return { execution_id: id, name, var_name: name, value: variables[name], type: "ctx" };
  });
  changeRoutes(app, executions);
}

function changeRoutes(app: Elysia, executions: Executions): void {
  const set = async (id: ExecutionId, body: JsonObject) => {
    const input = varsInput(body);
    await changeVariables(executions, id, input);
    const names = Object.keys(input.set);
    return { execution_id: id, variables_set: names.length, var_names: names };
  };
  // Bodies came as JSON.
  mount(app, api.setVariables, ({ params, body }) =>
    set(parseExecutionId(params.id), body as JsonObject),
  );
  mount(app, api.setVariable, ({ params, body }) => {
    const { value, source_step: step } = body as JsonObject;
    const variables = { [params.name]: value ?? null };
    return set(parseExecutionId(params.id), {
      variables,
      ...(step === undefined ? {} : { source_step: step }),
    });
  });
  mount(app, api.deleteVariable, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const known = Object.hasOwn(await variablesOf(executions, id), params.name);
    if (known) await changeVariables(executions, id, { removed: [params.name] });
    return { execution_id: id, var_name: params.name, deleted: known };
  });
  mount(app, api.deleteVariables, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const removed = Object.keys(await variablesOf(executions, id));
    if (removed.length > 0) await changeVariables(executions, id, { removed });
    return { execution_id: id, deleted_count: removed.length };
  });
}
