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

export interface AccessStore {
  /** Stores or replaces by id. @throws Fault `conflict` for an address or subject of another. */
  putUser(user: User): Promise<void>;
  user(by: {
    readonly userId?: string;
    readonly email?: string;
    readonly subject?: string;
  }): Promise<User | undefined>;
  /** By id, after this one. */
  users(filter: {
    readonly tenant?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly User[]>;
  removeUser(userId: string): Promise<boolean>;
  putMembership(membership: Membership): Promise<void>;
  removeMembership(userId: string, tenant: string): Promise<boolean>;
  memberships(filter: {
    readonly userId?: string;
    readonly tenant?: string;
  }): Promise<readonly Membership[]>;
  putToken(token: AccessToken): Promise<void>;
  tokenById(tokenId: string): Promise<KnownToken | undefined>;
  /** Newest first. */
  tokens(filter: {
    readonly userId?: string;
    readonly tenant?: string;
    readonly limit: number;
  }): Promise<readonly AccessToken[]>;
  revokeToken(tokenId: string, atMs: number): Promise<boolean>;
  touchToken(tokenId: string, atMs: number): Promise<void>;
}
