/** Light, dark, or as the system has it; remembered where the browser lets a file remember. */
import { effect, signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'imatrix-mm theme';

/** Some browsers give a page that was opened from a file no storage: then nothing is remembered. */
function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Only the next visit would have known it.
  }
}

const VISITED = 'imatrix-mm visited';
export const isFirstVisit = signal(remembered(VISITED) === null);
export function endFirstVisit(): void {
  isFirstVisit.value = false;
  remember(VISITED, 'yes');
}

export const theme = signal<Theme>(THEMES.find((each) => each === remembered(KEY)) ?? 'system');

export const nextTheme = (): void => {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] as Theme;
  remember(KEY, theme.value);
};

export function keepTheme(): void {
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
}
