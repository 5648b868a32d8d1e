/** The clock of one visit to one picture: it runs from the first painted frame and stands while nobody looks. */

import type { Absence } from './events';

export interface Clock {
  shownAtMs: number | null;
  awayMs: number;
  awaySinceMs: number | null;
  absences: readonly Absence[];
}

export const STOPPED: Clock = { shownAtMs: null, awayMs: 0, awaySinceMs: null, absences: [] };

/** The picture was painted; an absence that is under way goes on, counted from now. */
export function shown(clock: Clock, atMs: number): Clock {
  const absent = clock.absences.length > 0;
  return { shownAtMs: atMs, awayMs: 0, awaySinceMs: absent ? atMs : null, absences: clock.absences };
}

/** The picture was left for another one; what keeps the worker away stays. */
export function left(clock: Clock): Clock {
  return { ...STOPPED, absences: clock.absences };
}

export function lookedAway(clock: Clock, why: Absence, atMs: number): Clock {
  if (clock.absences.includes(why)) return clock;
  const running = clock.shownAtMs !== null && clock.awaySinceMs === null;
  return { ...clock, absences: [...clock.absences, why], awaySinceMs: running ? atMs : clock.awaySinceMs };
}

export function lookedBack(clock: Clock, why: Absence, atMs: number): Clock {
  const absences = clock.absences.filter((absence) => absence !== why);
  if (absences.length > 0 || clock.awaySinceMs === null) return { ...clock, absences };
  return { ...clock, absences, awayMs: clock.awayMs + span(clock.awaySinceMs, atMs), awaySinceMs: null };
}

/** How long this visit was looked at and how long it was not, in milliseconds. */
export function read(clock: Clock, atMs: number): { lookedMs: number; awayMs: number } {
  if (clock.shownAtMs === null) return { lookedMs: 0, awayMs: 0 };
  const awayMs = clock.awayMs + (clock.awaySinceMs === null ? 0 : span(clock.awaySinceMs, atMs));
  return { lookedMs: Math.max(0, span(clock.shownAtMs, atMs) - awayMs), awayMs };
}

// an input's time stamp may lie a moment before the paint it answers; no duration is negative
function span(fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs);
}
