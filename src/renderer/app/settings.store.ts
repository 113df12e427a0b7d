/** What a person prefers, kept in this browser: theme, how times read, whether the rail is folded. */
import { defineStore } from 'pinia';
import { ref, watch } from 'vue';
import type { TimeDisplay } from '../ui/format.ts';

export type ThemePreference = 'system' | 'light' | 'dark';

const KEY = 'samsa.settings';

function oneOf<T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.find((candidate) => candidate === value) ?? otherwise;
}

/** A stored text, checked; anything odd in it falls back to the default of that setting alone. */
export function parseSettings(text: string | null): { theme: ThemePreference; timeDisplay: TimeDisplay; railFolded: boolean } {
  let stored: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    if (typeof value === 'object' && value !== null) stored = value as Record<string, unknown>;
  } catch {
    // Not JSON: as if nothing had been stored.
  }
  return {
    theme: oneOf(stored.theme, ['system', 'light', 'dark'], 'system'),
    timeDisplay: oneOf(stored.timeDisplay, ['local', 'utc', 'epoch'], 'local'),
    railFolded: stored.railFolded === true,
  };
}

export const useSettings = defineStore('settings', () => {
  const initial = parseSettings(localStorage.getItem(KEY));
  const theme = ref(initial.theme);
  const timeDisplay = ref(initial.timeDisplay);
  const railFolded = ref(initial.railFolded);
  watch([theme, timeDisplay, railFolded], () => {
    localStorage.setItem(KEY, JSON.stringify({ theme: theme.value, timeDisplay: timeDisplay.value, railFolded: railFolded.value }));
  });
  return { theme, timeDisplay, railFolded };
});
