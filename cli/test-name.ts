// How files of tests are told from the playbooks beside them.

/** True for `orders.test.yaml`: what looks for playbooks in a folder passes it over. */
export function isTestName(name: string): boolean {
  return /\.test\.ya?ml$/.test(name);
}
