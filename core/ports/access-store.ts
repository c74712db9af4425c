// People, what they are in which tenant, and the tokens by which they and machines are known. Of a
// token only its digest is kept.

import type { Role } from "#core/model/access";

export interface User {
  readonly userId: string;
  /** In lower case; of one user alone. */
  readonly email: string;
  readonly name?: string;
  /** Who they are to the service that they sign in at. */
  readonly subject?: string;
  readonly disabledAtMs?: number;
  readonly createdAtMs: number;
}

export interface Membership {
  readonly userId: string;
  /** `*` for the whole installation. */
  readonly tenant: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

export interface AccessToken {
  readonly tokenId: string;
  readonly kind: "personal" | "session";
  readonly userId: string;
  readonly tenant: string;
  readonly role: Role;
  readonly platform: boolean;
  readonly name?: string;
  /** SHA-256 of the whole token, hexadecimal. */
  readonly digest: string;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
  readonly lastUsedAtMs?: number;
  readonly revokedAtMs?: number;
}

/** A token with all that is asked of it. */
export interface KnownToken {
  readonly token: AccessToken;
  readonly user: User;
  /** Undefined where the user is no member of the token's tenant any more. */
  readonly membership: Membership | undefined;
}

/** Why a change of people was not made. */
export type PeopleChange =
  | "done"
  | "absent"
  /** An address or subject of somebody else. */
  | "taken"
  /** A tenant would be left without an administrator who is let in. */
  | "last admin";

export interface UserFilter {
  /** Members of it. */
  readonly tenant?: string;
  /** Only ids after this one. */
  readonly after?: string;
  readonly limit: number;
}

export interface AccessStore {
  /** Stores or replaces by id. */
  putUser(user: User): Promise<"done" | "taken" | "last admin">;
  /** By the first of these that is given. */
  user(by: {
    readonly userId?: string;
    readonly email?: string;
    readonly subject?: string;
  }): Promise<User | undefined>;
  /** By id. */
  users(filter: UserFilter): Promise<readonly User[]>;
  /** With memberships and tokens. */
  removeUser(userId: string): Promise<"done" | "absent" | "last admin">;
  /** Stores or replaces; absent without such a user. */
  putMembership(membership: Membership): Promise<"done" | "absent" | "last admin">;
  removeMembership(userId: string, tenant: string): Promise<"done" | "absent" | "last admin">;
  /** Of these users, by user and tenant. */
  memberships(filter: {
    readonly userIds: readonly string[];
    readonly tenant?: string;
  }): Promise<readonly Membership[]>;
  /** Whether a tenant has an administrator who is let in. */
  hasAdmin(tenant: string): Promise<boolean>;
  /** Absent without such a user. */
  putToken(token: AccessToken): Promise<"done" | "absent">;
  tokenById(tokenId: string): Promise<KnownToken | undefined>;
  /** Newest first. */
  tokens(filter: {
    readonly userId?: string;
    readonly tenant?: string;
    readonly limit: number;
  }): Promise<readonly AccessToken[]>;
  /** False for one that is revoked already, or none. */
  revokeToken(tokenId: string, atMs: number): Promise<boolean>;
  touchToken(tokenId: string, atMs: number): Promise<void>;
  /** Removes tokens that ran out or were revoked before this, at most so many; says how many. */
  purgeTokens(beforeMs: number, limit: number): Promise<number>;
}
