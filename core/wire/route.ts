// One entry of an HTTP contract: said once, it gives the server its checks, the documentation its
// schemas and the client its types.

import type { Type } from "arktype";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** What a route takes and gives, as schemas. */
export interface RouteParts {
  readonly params?: Type;
  readonly query?: Type;
  readonly body?: Type;
  readonly answer: Type;
  /** The data of each event, where the route may also answer with a stream of server-sent events. */
  readonly events?: Type;
}

export interface Route<Parts extends RouteParts = RouteParts> extends RouteText {
  readonly method: Method;
  /** With `:name` for the parts of `params`. */
  readonly path: string;
  readonly parts: Parts;
}

export interface RouteText {
  /** One line for the documentation. */
  readonly summary: string;
  readonly tag: string;
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
  readonly [Part in Exclude<keyof Parts, "answer" | "events">]: InputOf<Parts[Part]>;
};

/** What a handler is given: the same, checked. */
export type RouteRequest<Parts extends RouteParts> = {
  readonly [Part in Exclude<keyof Parts, "answer" | "events">]: OutputOf<Parts[Part]>;
};

export type RouteAnswer<Parts extends RouteParts> = Parts["answer"]["infer"];
