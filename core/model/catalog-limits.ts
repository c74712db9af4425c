// Limits of the catalog beyond those of playbooks. The idea of their form is that of limits.ts.

export const catalogPathCharsMax = 200;

/** Of what a search is made of; words beyond are not looked for. */
export const searchCharsMax = 200;
export const searchTermsMax = 10;

/** Of what an entry is found by: path, name, description and labels. */
export const catalogWordsCharsMax = 4_000;

/** Names of what an entry can do, which it is found by. */
export const capabilitiesMax = 100;
export const capabilityCharsMax = 200;

/** Lines of a text whose changes are looked for line by line; longer ones are shown whole. */
export const diffLinesMax = 20_000;

/** Lines that may differ before a part is shown as replaced whole: effort grows with its square. */
export const diffEditsMax = 1_000;

/** Unchanged lines that are shown beside changed ones. */
export const diffContextLines = 3;

/** Characters of a comparison that is answered. */
export const diffCharsMax = 2 * 1_048_576;

/** How long a replica goes by what it knows of an id: whether it has been archived meanwhile. */
export const archivedKnownMs = 2_000;
