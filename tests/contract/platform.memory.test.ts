// The contracts of the stores around an execution on memory.
import { memoryPlatform, platformContracts } from "./platform.ts";

platformContracts(memoryPlatform);
