// The endpoint that speaks the Model Context Protocol (streamable HTTP): its messages are the
// protocol's own, so nothing but the way there is said here.

import { route } from "./route.ts";
import { json } from "./shapes.ts";

const tag = "mcp";
const parts = { raw: "application/json", answer: json } as const;

export const mcpRoutes = {
  mcp: route(
    "POST /mcp",
    {
      summary: "A message of the Model Context Protocol, over streamable HTTP",
      description:
        "Playbooks whose metadata says `exposes_as_mcp` are tools; executions, their logs and the " +
        "catalog are resources. Calling a tool needs the role operator.",
      tag,
      access: "viewer",
    },
    parts,
  ),
  mcpStream: route(
    "GET /mcp",
    {
      summary: "The stream of a session: this endpoint keeps none, and says so with 405",
      tag,
      access: "viewer",
    },
    parts,
  ),
  mcpJsonRpc: route(
    "POST /api/mcp/playbook/*",
    {
      summary:
        "The same endpoint under its older address, for one playbook, answered as plain JSON",
      description: "The address ends in `/jsonrpc`; what is between is the playbook's path.",
      tag,
      access: "viewer",
    },
    parts,
  ),
} as const;
