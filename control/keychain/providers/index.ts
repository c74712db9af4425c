// The providers of secrets, by name. Loaded when the first entry needs one.

import type { SecretProvider } from "#core/playbook/keychain-kinds";
import { awsSecrets } from "./aws.ts";
import { azureSecrets } from "./azure.ts";
import { gcpSecrets } from "./gcp.ts";
import {
  type GoogleTokenAsk,
  googleAccessToken,
  googleIdToken,
  type Token,
} from "./google-token.ts";
import { kubernetesSecrets } from "./kubernetes.ts";
import { type TokenRequest, tokenAnswer } from "./oauth2.ts";
import type { ProviderParts, ReadSecret } from "./provider.ts";
import { vaultSecrets } from "./vault.ts";

export interface SecretProviders {
  readonly secret: Readonly<Record<SecretProvider, ReadSecret>>;
  accessToken(ask: GoogleTokenAsk): Promise<Token>;
  idToken(ask: Parameters<typeof googleIdToken>[1]): Promise<Token>;
  tokenAnswer(request: TokenRequest): ReturnType<typeof tokenAnswer>;
}

export function secretProviders(parts: ProviderParts): SecretProviders {
  return {
    secret: {
      gcp: gcpSecrets(parts),
      aws: awsSecrets(parts),
      azure: azureSecrets(parts),
      vault: vaultSecrets(parts),
      kubernetes: kubernetesSecrets(parts),
    },
    accessToken: (ask) => googleAccessToken(parts, ask),
    idToken: (ask) => googleIdToken(parts, ask),
    tokenAnswer: (request) => tokenAnswer(parts, request),
  };
}
