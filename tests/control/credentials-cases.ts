// Cases of the routes of the group `credentials`.

import type { credentialsRoutes } from "#core/wire/api-credentials";
import type { RouteCase } from "./refused-cases.ts";

export const credentialsCases: { readonly [Name in keyof typeof credentialsRoutes]: RouteCase } =
  {};
