// The control plane of the edge on a real Deno.
import { denoRuntime } from "#tests/support/edge";
import { edgeControlRuns } from "./control-runs.ts";

edgeControlRuns(denoRuntime);
