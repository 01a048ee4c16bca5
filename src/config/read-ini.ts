/**
 * A configuration file as entries with the line on which each stands.
 *
 * The package `ini` says what a line means (quotes, comments, escapes). It is given one line at a time, because only so
 * is it known which line a value came from; its form has no value that goes over several.
 *
 * The build puts the package into this file: who installs the library installs nothing else.
 */
import { parse } from 'ini';

export interface IniEntry {
  /** Null before the first section. */
  readonly section: string | null;
  readonly key: string;
  /** Null when the line has no `=`. */
  readonly value: string | null;
  /** From 1. */
  readonly line: number;
}

export interface IniFile {
  readonly sections: readonly string[];
  readonly entries: readonly IniEntry[];
}

const SECTION = /^\s*\[([^\]]*)\]\s*([;#].*)?$/;

/** Never fails: a line that says nothing in this form is an entry without a value. */
export function readIni(text: string): IniFile {
  const sections: string[] = [];
  const entries: IniEntry[] = [];
  let section: string | null = null;
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((content, index) => {
      const opened = SECTION.exec(content)?.[1];
      if (opened !== undefined) {
        section = opened.trim();
        sections.push(section);
        return;
      }
      for (const [key, value] of Object.entries(parse(content, { bracketedArray: false }))) {
        // The package turns true, false and null into values; the keys' rules decide what a word means.
        const given = content.includes('=') ? String(value) : null;
        entries.push({ section, key, value: given, line: index + 1 });
      }
    });
  return { sections, entries };
}
