/** A failure as a line that GitHub Actions shows beside the file it names (workflow command `error`). */

const escapeText = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string => escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** @param saved the trace's file, as a path from the repository. */
export const annotation = (breaks: string, message: string, saved: string, replay: string): string =>
  `::error file=${escapeProperty(saved)},line=1,title=${escapeProperty(`conformance: ${breaks}`)}::${escapeText(`${message}\nreplay: ${replay}`)}`;
