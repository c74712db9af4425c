// `noetl admin create`: the first administrator, made right in the database by who has it. The token
// is printed once.

import { createAdmin as makeAdmin } from "#control/access/first-admin";
import { type Arguments, UsageError } from "./arguments.ts";
import { given } from "./given.ts";
import { openOwnStores } from "./own-database.ts";
import { printed } from "./printed.ts";

/** `admin create --email E`: with DATABASE_URL, else in the directory of `noetl dev`. */
export async function createAdmin(args: Arguments): Promise<number> {
  const email = args.text("email");
  if (email === undefined || !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw new UsageError("--email: expected an e-mail address");
  }
  const asked = given({ name: args.text("name"), tenant: args.text("tenant") });
  const stores = await openOwnStores();
  try {
    const made = await makeAdmin(stores, { email, ...asked, force: args.has("force") });
    const answer = {
      email,
      user_id: made.userId,
      token: made.token,
      expires_at: new Date(made.expiresAtMs).toISOString(),
    };
    if (!args.has("json")) {
      console.error(`${email}, user ${answer.user_id}, until ${answer.expires_at}`);
      console.error("the token is shown this once:");
    }
    return printed(args, answer, ({ token }) => [token]);
  } finally {
    await stores.close();
  }
}
