/**
 * Text from users (names, reasons, events) made harmless in every form of report: control
 * characters but line ends and tabs, unpaired surrogates, non-characters and invisible direction
 * marks become the replacement character. XML 1.0 forbids most of them, a terminal obeys some, and
 * direction marks make a reader see another text than the one that is there.
 */
const UNSEEN = /[^\P{Cc}\n\r\t]|\p{Bidi_Control}|\p{Noncharacter_Code_Point}/gu;

export function visible(text: string): string {
  return text.toWellFormed().replaceAll(UNSEEN, '\ufffd');
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll(/\s+/g, ' ').trim();
}
