// The numbers of one process, as Prometheus reads them.

import { type } from "arktype";
import { route } from "./route.ts";

export const metricsRoutes = {
  metrics: route(
    "GET /metrics",
    {
      summary: "The numbers of this process, in Prometheus's text format 0.0.4",
      description:
        "Each replica has its own. Whoever has a token may read them: Prometheus sends one with `authorization`.",
      tag: "health",
      access: ["machine", "viewer"],
    },
    { answer: type("string"), raw: "text/plain" },
  ),
} as const;
