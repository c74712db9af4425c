// `noetl whoami`, `noetl token` and `noetl user`: who one is, the tokens one has, and who else may
// do what in the tenant. A token is printed once, when it is made.

import { type Role, roles } from "#core/model/access";
import type { Arguments } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { given, oneOf, seconds, wholeNumber } from "./given.ts";
import { fieldLines, printed } from "./printed.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";

export async function whoami(args: Arguments): Promise<number> {
  const { client, url } = await neededServer(args);
  return printed(args, { server: url, ...(await client.me()) }, fieldLines);
}

const roleIn = (args: Arguments): Role | undefined => oneOf(args, "role", roles);

/** The token itself goes to standard output alone, for whoever keeps it in a file. */
export async function createToken(args: Arguments): Promise<number> {
  const expires = args.text("expires");
  const role = roleIn(args);
  const { client } = await neededServer(args);
  const answer = await client.createToken({
    body: {
      name: args.operands[0] ?? "",
      ...given({
        role,
        expires_in_seconds: expires === undefined ? undefined : seconds(expires, "expires"),
        user_id: args.text("user"),
      }),
    },
  });
  if (!args.has("json")) {
    const until = answer.expires_at === null ? "for ever" : `until ${answer.expires_at}`;
    console.error(`token ${answer.token_id}, ${answer.role} of ${answer.tenant} ${until}`);
    console.error("it is shown this once:");
  }
  return printed(args, answer, ({ token }) => [token]);
}

export async function listTokens(args: Arguments): Promise<number> {
  const query = given({ user_id: args.text("user"), limit: wholeNumber(args, "limit") });
  const { client } = await neededServer(args);
  return printed(args, await client.listTokens({ query }), ({ tokens }) =>
    tableLines(
      ["TOKEN", "NAME", "ROLE", "TENANT", "EXPIRES", "LAST USED", "STATUS"],
      tokens.map((token) => [
        token.token_id,
        token.name ?? "",
        token.platform ? `${token.role}, platform` : token.role,
        token.tenant,
        token.expires_at ?? "never",
        token.last_used_at ?? "",
        token.revoked_at === null ? "" : "revoked",
      ]),
    ),
  );
}

export async function revokeToken(args: Arguments): Promise<number> {
  const [id = ""] = args.operands;
  const { client } = await neededServer(args);
  const answer = await client.deleteToken({ params: { token_id: id } });
  printed(args, answer, ({ revoked }) => [`${id}: ${revoked ? "revoked" : "was revoked already"}`]);
  return exitOk;
}

export async function listUsers(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const query = given({
    tenant: args.text("tenant"),
    limit: wholeNumber(args, "limit"),
    after: args.text("after"),
  });
  return printed(args, await client.listUsers({ query }), ({ users }) =>
    tableLines(
      ["USER", "E-MAIL", "NAME", "ROLES", "STATUS"],
      users.map((user) => [
        user.user_id,
        user.email,
        user.name ?? "",
        user.memberships.map(({ tenant, role }) => `${role} of ${tenant}`).join(", "),
        user.disabled ? "disabled" : "",
      ]),
    ),
  );
}

export async function addUser(args: Arguments): Promise<number> {
  const [email = ""] = args.operands;
  const role = roleIn(args);
  const body = { email, ...given({ name: args.text("name"), tenant: args.text("tenant"), role }) };
  const { client } = await neededServer(args);
  return printed(args, await client.createUser({ body }), ({ user_id: id, memberships }) => {
    const given = memberships.map(({ tenant, role: own }) => `${own} of ${tenant}`);
    return [`${email}: user ${id}, ${given.join(", ")}`];
  });
}

/** `user role USER ROLE`. */
export async function setRole(args: Arguments): Promise<number> {
  const [reference = "", text = ""] = args.operands;
  const role = oneOf({ ...args, text: () => text }, "role", roles) ?? "viewer";
  const { client } = await neededServer(args);
  const id = await userId(client, reference);
  const body = { role, ...given({ tenant: args.text("tenant") }) };
  const answer = await client.putMembership({ params: { user_id: id }, body });
  return printed(args, answer, ({ email }) => [`${email}: ${role}`]);
}

/** Out of the tenant; with `--everywhere`, the person and all their tokens. */
export async function removeUser(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const [reference = ""] = args.operands;
  const params = { user_id: await userId(client, reference) };
  if (args.has("everywhere")) {
    const gone = await client.deleteUser({ params });
    printed(args, gone, () => [`${reference}: removed`]);
    return gone.deleted ? exitOk : exitFailed;
  }
  const answer = await client.deleteMembership({
    params,
    query: given({ tenant: args.text("tenant") }),
  });
  printed(args, answer, ({ tenant }) => [`${reference}: no member of ${tenant} any more`]);
  return answer.deleted ? exitOk : exitFailed;
}

type Client = Awaited<ReturnType<typeof neededServer>>["client"];

/** By id, or by e-mail address. */
async function userId(client: Client, reference: string): Promise<string> {
  if (!reference.includes("@")) return reference;
  for (let after: string | null | undefined; after !== null; ) {
    const page: Awaited<ReturnType<Client["listUsers"]>> = await client.listUsers({
      query: { limit: 500, ...(after === undefined ? {} : { after }) },
    });
    const found = page.users.find(({ email }) => email === reference.toLowerCase());
    if (found !== undefined) return found.user_id;
    after = page.next_after;
  }
  // The server says of an id that it doesn't know what there is to say.
  return reference;
}
