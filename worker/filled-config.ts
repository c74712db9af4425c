// The config of one task's call with nothing left open: what a template can't fill by itself is
// asked for here, before or after it is evaluated.

import type { TaskSpec } from "#core/model/command";
import type { JsonObject } from "#core/model/json";
import type { CommandRun } from "./command-run.ts";
import type { WorkerServices } from "./services.ts";
import { type Evaluation, taskConfig } from "./task-config.ts";

/** @throws TemplateRuntimeError, TemplateSyntaxError, ToolFailure (kind `credential`) */
export async function filledConfig(
  task: TaskSpec,
  run: CommandRun,
  evaluation: Evaluation,
  _services: WorkerServices,
): Promise<JsonObject> {
  return taskConfig(task, run.command, evaluation);
}
