/** Text inside markup: nothing that a mode wrote is taken for a tag. */
export const escaped = (text: string | number): string =>
  String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    // What XML 1.0 cannot hold at all.
    .replaceAll(/(?![\t\n\r])\p{Cc}/gu, '?');
