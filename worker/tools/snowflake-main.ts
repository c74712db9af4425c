// The program of a process that speaks to Snowflake, as the source tree starts it.

import { serveSnowflake } from "./snowflake-child.ts";

await serveSnowflake();
