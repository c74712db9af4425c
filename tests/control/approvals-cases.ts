// Cases of the routes of the group `approvals`.

import type { approvalsRoutes } from "#core/wire/api-approvals";
import type { RouteCase } from "./refused-cases.ts";

export const approvalsCases: { readonly [Name in keyof typeof approvalsRoutes]: RouteCase } = {};
