// Free texts as any database can keep them.

/** The text with NUL and halves of surrogate pairs as U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
