// Runs a tool as the worker does: a ToolFailure thrown inside becomes the output it stands for.

import type { JsonObject } from "#core/model/json";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import { type Tool, type ToolContext, ToolFailure } from "#worker/tools/tool";

/** The output of a call, whether the tool returned it or threw its failure. */
export async function outcomeOf(
  tool: Tool,
  config: JsonObject,
  context: ToolContext,
): Promise<Output> {
  try {
    return await tool.run(config, context);
  } catch (error) {
    if (error instanceof ToolFailure) return failureOutput(error.failure);
    throw error;
  }
}

/** The failure of a call that must fail. */
export async function failureOf(
  tool: Tool,
  config: JsonObject,
  context: ToolContext,
): Promise<Failure> {
  const output = await outcomeOf(tool, config, context);
  if (output.error === undefined) throw new Error("expected a failure, found an ok outcome");
  return output.error;
}
