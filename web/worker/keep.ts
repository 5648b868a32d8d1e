/**
 * What outlives a reload. Storage may be blocked (a frame of another site, a private window): then the entry of this
 * page in the session's history holds it, which needs no permission. Cookies are never used.
 */

import type { Kept, Preferences } from './events';

const DRAFT = 'thresher.draft';
const PREFERENCES = 'thresher.preferences';
const DEVICE = 'thresher.device';

export interface Memory {
  draft(): Kept | null;
  keepDraft(kept: Kept | null): void;
  preferences(): Preferences | null;
  keepPreferences(preferences: Preferences): void;
  /** The server's random mark of this browser, by which two people here count as one; empty if there is none. */
  device(): string;
  keepDevice(mark: string): void;
}

export function memory(view: Window): Memory {
  return {
    draft: () => read<Kept>(() => view.sessionStorage.getItem(DRAFT)) ?? inHistory(view)[DRAFT] ?? null,
    keepDraft(kept) {
      try {
        if (kept) view.sessionStorage.setItem(DRAFT, JSON.stringify(kept));
        else view.sessionStorage.removeItem(DRAFT);
      } catch {
        view.history.replaceState({ ...inHistory(view), [DRAFT]: kept }, '');
      }
    },
    preferences: () => read<Preferences>(() => view.localStorage.getItem(PREFERENCES)),
    keepPreferences: (preferences) => write(view, PREFERENCES, preferences),
    device: () => read<string>(() => view.localStorage.getItem(DEVICE)) ?? '',
    keepDevice: (mark) => write(view, DEVICE, mark),
  };
}

function write(view: Window, name: string, value: unknown): void {
  try {
    view.localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // it holds for this visit then
  }
}

function read<T>(get: () => string | null): T | null {
  try {
    const text = get();
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

function inHistory(view: Window): { [DRAFT]?: Kept | null } {
  return (view.history.state as { [DRAFT]?: Kept | null } | null) ?? {};
}
