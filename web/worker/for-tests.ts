/** What the tests of this folder start from. */

import fc from 'fast-check';
import type { Says, Work } from '../wire/generated';
import type { Absence, Happened } from './events';
import { reduce, START, type State } from './store';
import { next } from './task';

export function work(pictures: number, changes: Partial<Work> = {}): Work {
  return {
    token: 'token',
    category: 'car',
    question: 'Is this a car?',
    instructions: '',
    examples: [],
    pictures: Array.from({ length: pictures }, (_, position) => `/picture/${position}`),
    entries: [],
    sequence: 0,
    lease_until_ms: 3_600_000,
    now_ms: 0,
    ...changes,
  };
}

export function begun(pictures: number, changes: Partial<Work> = {}): State {
  return told(START, [
    { type: 'workDealt', work: work(pictures, changes), kept: null, resumed: false, dateMs: 0 },
    { type: 'explanationRead' },
  ]);
}

export function told(state: State, events: readonly Happened[]): State {
  return events.reduce(reduce, state);
}

/** A picture is shown, then answered `ms` later. */
export function answer(state: State, says: Says, atMs: number, ms = 1000): State {
  return told(state, [
    { type: 'pictureShown', atMs, ready: true },
    { type: 'pictureAnswered', position: state.task.position, says, atMs: atMs + ms, dateMs: atMs + ms },
  ]);
}

/** What a worker can do, as numbers, so that any sequence of them can be drawn. */
export type Deed =
  | { do: Says }
  | { do: 'back' | 'forward' | 'review' | 'shown' }
  | { do: 'jump'; to: number }
  | { do: 'away' | 'return'; why: Absence };

export const deeds = fc.array(
  fc.tuple(
    fc.nat(5000),
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom<Deed>({ do: 'yes' }, { do: 'no' }, { do: 'unsure' }) },
      { weight: 6, arbitrary: fc.constant<Deed>({ do: 'shown' }) },
      { weight: 3, arbitrary: fc.constantFrom<Deed>({ do: 'back' }, { do: 'forward' }, { do: 'review' }) },
      { weight: 1, arbitrary: fc.nat(20).map<Deed>((to) => ({ do: 'jump', to })) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.constantFrom('away', 'return'), fc.constantFrom<Absence>('hidden', 'paused', 'dialog'))
          .map<Deed>(([act, why]) => ({ do: act as 'away' | 'return', why })),
      },
    ),
  ),
  { maxLength: 120 },
);

/** Do them one after another as the page does, each a while after the one before; answers every state on the way. */
export function lived(state: State, done: readonly (readonly [number, Deed])[]): { state: State; atMs: number }[] {
  let atMs = 0;
  const seen = [{ state, atMs }];
  for (const [waited, deed] of done) {
    atMs += waited;
    state = reduce(state, happened(state, deed, atMs));
    seen.push({ state, atMs });
  }
  return seen;
}

function happened(state: State, deed: Deed, atMs: number): Happened {
  switch (deed.do) {
    case 'shown':
      return { type: 'pictureShown', atMs, ready: true };
    case 'back':
      return { type: 'wentBack', atMs };
    case 'forward':
      return { type: 'wentForward', atMs };
    case 'review':
      return { type: 'reviewOpened', atMs };
    case 'jump':
      return { type: 'jumpedTo', position: deed.to, atMs };
    case 'away':
      return { type: 'lookedAway', why: deed.why, atMs };
    case 'return':
      return { type: 'lookedBack', why: deed.why, atMs };
    default:
      // on the review page there is no picture to answer: a tap leads to one first
      return state.task.view === 'pictures'
        ? { type: 'pictureAnswered', position: state.task.position, says: deed.do, atMs, dateMs: atMs }
        : { type: 'jumpedTo', position: next(state.task) === 'review' ? 0 : state.task.position, atMs };
  }
}
