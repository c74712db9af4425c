// Cases of the routes of the group `outbox`.

import type { outboxRoutes } from "#core/wire/api-outbox";
import type { RouteCase } from "./refused-cases.ts";

export const outboxCases: { readonly [Name in keyof typeof outboxRoutes]: RouteCase } = {};
