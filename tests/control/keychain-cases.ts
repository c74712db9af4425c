// Cases of the routes of the group `keychain`.

import type { keychainRoutes } from "#core/wire/api-keychain";
import type { RouteCase } from "./refused-cases.ts";

export const keychainCases: { readonly [Name in keyof typeof keychainRoutes]: RouteCase } = {};
