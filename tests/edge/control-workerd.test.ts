// The control plane of the edge on a real workerd.
import { workerdRuntime } from "#tests/support/edge";
import { edgeControlRuns } from "./control-runs.ts";

edgeControlRuns(workerdRuntime);
