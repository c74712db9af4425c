// Routes that say how a control plane is.

import { type } from "arktype";
import { route } from "./route.ts";

export const healthRoutes = {
  health: route(
    "GET /api/health",
    { summary: "Whether this process and its store answer", tag: "health", access: "public" },
    { answer: type({ status: "'ok' | 'degraded'", version: "string", uptime_seconds: "number" }) },
  ),
} as const;
