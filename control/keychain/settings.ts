// Settings of the control plane's part `keychain`: where the providers of secrets are, for those who
// don't have them at their usual addresses.

import { address, names, type Settings } from "#core/model/settings";

export const keychainSettings = {
  NOETL_SECRET_HOSTS_ALLOWED: {
    shape: names,
    text: "Hosts with their ports that playbooks may have secrets asked of inside of the own network: `idp:8080`.",
  },
  NOETL_GCP_SECRETS_URL: {
    shape: address,
    text: "Google's Secret Manager (default its public address).",
  },
  NOETL_GCP_METADATA_URL: {
    shape: address,
    text: "The metadata server that gives tokens to machines of Google Cloud.",
  },
  NOETL_AWS_SECRETS_URL: {
    shape: address,
    text: "AWS Secrets Manager (default its address in the entry's region).",
  },
  NOETL_AZURE_LOGIN_URL: {
    shape: address,
    text: "Microsoft's login (default its public address).",
  },
  NOETL_AZURE_METADATA_URL: {
    shape: address,
    text: "The metadata server that gives tokens to machines of Azure.",
  },
  NOETL_VAULT_URL: { shape: address, text: "The HashiCorp Vault of entries that name none." },
  NOETL_SECRETS_KUBERNETES_URL: {
    shape: address,
    text: "The API of the cluster whose secrets entries read; in a pod, the cluster's own without it.",
  },
} as const satisfies Settings;
