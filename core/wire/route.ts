// One entry of an HTTP contract: said once, it gives the server its checks, the documentation its
// schemas and the client its types.

import type { Type } from "arktype";
import type { Role } from "#core/model/access";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** What a route takes and gives, as schemas. */
export interface RouteParts {
  readonly params?: Type;
  readonly query?: Type;
  readonly body?: Type;
  readonly answer: Type;
  /** The data of each event, where the route may also answer with a stream of server-sent events. */
  readonly events?: Type;
  /** The media type of a body that the handler reads itself, and of an answer that it makes itself. */
  readonly raw?: string;
}

/**
 * Who a route lets in. `public`: anybody; `link`: whoever holds the token that the request carries,
 * which the handler checks; `person`: anybody who has signed in; a role: of the tenant at least;
 * `machine`: processes of the installation; `platform`: who runs the installation.
 */
export type AccessRule = "public" | "link" | "person" | Role | "machine" | "platform";

/** An id in a request that must be of the tenant of whoever asks. */
export type NestedId =
  `${"execution" | "executions" | "catalog" | "command" | "result"} ${"params" | "query" | "body"}.${string}`;

export interface Route<Parts extends RouteParts = RouteParts> extends RouteText {
  readonly method: Method;
  /** With `:name` for the parts of `params`. */
  readonly path: string;
  readonly parts: Parts;
}

export interface RouteText {
  /** One line for the documentation. */
  readonly summary: string;
  /** What the line leaves out. */
  readonly description?: string;
  readonly tag: string;
  /** Whom it lets in; of several, any. Required: what nobody thought of lets nobody in. */
  readonly access: AccessRule | readonly AccessRule[];
  /** Ids that are checked to be of the tenant; machines of the installation are not asked. */
  readonly of?: readonly NestedId[];
}

export function route<const Parts extends RouteParts>(
  signature: `${Method} /${string}`,
  text: RouteText,
  parts: Parts,
): Route<Parts> {
  const [method, path] = signature.split(" ") as [Method, string];
  return { method, path, parts, ...text };
}

type InputOf<Part> = Part extends Type ? Part["inferIn"] : undefined;
type OutputOf<Part> = Part extends Type ? Part["infer"] : undefined;

/** What a caller passes: only the parts that the route has. */
export type RouteInput<Parts extends RouteParts> = {
  readonly [Part in Exclude<keyof Parts, "answer" | "events" | "raw">]: InputOf<Parts[Part]>;
};

/** What a handler is given: the same, checked. */
export type RouteRequest<Parts extends RouteParts> = {
  readonly [Part in Exclude<keyof Parts, "answer" | "events" | "raw">]: OutputOf<Parts[Part]>;
};

export type RouteAnswer<Parts extends RouteParts> = Parts["answer"]["infer"];
