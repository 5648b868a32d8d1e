import type { Entry, Me, Says, Sent, Work } from '../wire/generated';

/** Why nobody looks at the picture: the page is hidden, the worker paused, or a dialog covers it. */
export type Absence = 'hidden' | 'paused' | 'dialog';

/** Something a worker has to be told instead of what they wanted. */
export interface Trouble {
  title: string;
  detail: string;
  /** Whether trying again can help. */
  again: boolean;
}

/**
 * What happened. Times are handed in: `atMs` is `performance.now()`, `dateMs` is `Date.now()`; a reducer reads no clock.
 */
export type Happened =
  | { type: 'inviteOpened' }
  | { type: 'joined'; link: string }
  | { type: 'homeOpened'; me: Me }
  | { type: 'waitBegan' }
  | { type: 'waitEnded' }
  | { type: 'workDealt'; work: Work; kept: Kept | null; dateMs: number; resumed: boolean }
  | { type: 'workSeen'; work: Work }
  | { type: 'explanationRead' }
  | { type: 'pictureShown'; atMs: number; ready: boolean }
  | { type: 'pictureAnswered'; position: number; says: Says; atMs: number; dateMs: number }
  | { type: 'wentBack'; atMs: number }
  | { type: 'wentForward'; atMs: number }
  | { type: 'jumpedTo'; position: number; atMs: number }
  | { type: 'reviewOpened'; atMs: number }
  | { type: 'lookedAway'; why: Absence; atMs: number }
  | { type: 'lookedBack'; why: Absence; atMs: number }
  | { type: 'draftsPosted'; positions: readonly number[] }
  | {
      type: 'draftsKept';
      positions: readonly number[];
      sequence: number;
      leaseUntilMs: number;
      others: readonly Entry[];
    }
  | { type: 'draftsFailed'; positions: readonly number[] }
  | { type: 'wentOffline' }
  | { type: 'cameOnline' }
  | { type: 'taskSent'; sent: Sent }
  | { type: 'workReturned' }
  | { type: 'troubleCame'; trouble: Trouble }
  | { type: 'preferencesChanged'; preferences: Preferences };

/** How a worker wants the page. */
export interface Preferences {
  /** Yes on the left, no on the right; keys and swipes follow. */
  swapped: boolean;
  /** Answer by letters too (WCAG 2.1.4 wants a way to switch these off). */
  letters: boolean;
}

/** What a page wrote down before it was closed. */
export interface Kept {
  token: string;
  position: number;
  dirty: readonly number[];
  traces: readonly Trace[];
}

/** What is known of one picture of an assignment. Durations in milliseconds. */
export interface Trace {
  says: Says | null;
  firstMs: number | null;
  lookedMs: number;
  awayMs: number;
  changes: number;
  visits: number;
  ready: boolean;
  /** When it was answered, by the server's clock: of the answers of two devices the later one holds. */
  answeredAtMs: number;
}
