/** One assignment as its worker goes through it: answers, times, and where they are. Pure. */

import type { Entry, Work } from '../wire/generated';
import { type Clock, left, lookedAway, lookedBack, read, STOPPED, shown } from './clock';
import type { Happened, Trace } from './events';

export interface Task {
  work: Work | null;
  view: 'explanation' | 'pictures' | 'review';
  position: number;
  /** A picture reached from the review leads back there. */
  fromReview: boolean;
  traces: readonly Trace[];
  clock: Clock;
  /** What the server's clock is ahead of this device's. */
  aheadMs: number;
  /** How many answers came from another device or tab. */
  fromOthers: number;
}

export const NO_TASK: Task = {
  work: null,
  view: 'explanation',
  position: 0,
  fromReview: false,
  traces: [],
  clock: STOPPED,
  aheadMs: 0,
  fromOthers: 0,
};

const UNSEEN: Trace = {
  says: null,
  firstMs: null,
  lookedMs: 0,
  awayMs: 0,
  changes: 0,
  visits: 0,
  ready: true,
  answeredAtMs: 0,
};

export function task(state: Task, event: Happened): Task {
  switch (event.type) {
    case 'workDealt':
      return dealt(event, state.clock);
    case 'workSeen':
      return event.work.token === state.work?.token ? merged(state, event.work.entries) : state;
    case 'draftsKept':
      return merged(state, event.others);
    case 'explanationRead':
      return { ...state, view: 'pictures' };
    case 'pictureShown':
      return pictureShown(state, event.atMs, event.ready);
    case 'pictureAnswered':
      return answered(state, event);
    case 'wentBack':
      return state.position === 0 ? state : moved(state, state.position - 1, event.atMs);
    case 'wentForward':
      return isAnswered(state, state.position) ? onward(closed(state, event.atMs)) : state;
    case 'jumpedTo':
      return {
        ...moved(state, event.position, event.atMs),
        view: 'pictures',
        // whoever goes on with what is left goes on to its end
        fromReview: state.view === 'review' && isAnswered(state, event.position),
      };
    case 'reviewOpened':
      return { ...closed(state, event.atMs), view: 'review', fromReview: false };
    case 'lookedAway':
      return { ...state, clock: lookedAway(state.clock, event.why, event.atMs) };
    case 'lookedBack':
      return { ...state, clock: lookedBack(state.clock, event.why, event.atMs) };
    case 'taskSent':
    case 'workReturned':
    case 'troubleCame':
    case 'homeOpened':
      return { ...NO_TASK, clock: left(state.clock) };
    default:
      return state;
  }
}

/** Where an answer at the present position leads. */
export function next(state: Task): number | 'review' {
  const following = state.position + 1;
  return state.fromReview || following >= state.traces.length ? 'review' : following;
}

export function answeredCount(state: Task): number {
  return state.traces.reduce((count, trace) => count + (trace.says === null ? 0 : 1), 0);
}

export function isAnswered(state: Task, position: number): boolean {
  return (state.traces[position]?.says ?? null) !== null;
}

export function firstUnanswered(traces: readonly Trace[]): number {
  const found = traces.findIndex((trace) => trace.says === null);
  return found < 0 ? Math.max(0, traces.length - 1) : found;
}

/** The answers at these positions in the server's shape and unit: seconds, to the millisecond. */
export function entries(traces: readonly Trace[], positions: Iterable<number>): Entry[] {
  const found: Entry[] = [];
  for (const position of positions) {
    const trace = traces[position];
    if (!trace || trace.says === null) continue;
    found.push({
      position,
      says: trace.says,
      first_seconds: seconds(trace.firstMs ?? trace.lookedMs),
      seconds: seconds(trace.lookedMs),
      changes: trace.changes,
      visits: Math.max(1, trace.visits),
      hidden_seconds: seconds(trace.awayMs),
      ready: trace.ready,
      at_ms: trace.answeredAtMs,
    });
  }
  return found;
}

function dealt({ work, kept, resumed, dateMs }: Extract<Happened, { type: 'workDealt' }>, clock: Clock): Task {
  const traces: Trace[] = work.pictures.map(() => UNSEEN);
  for (const entry of work.entries) traces[entry.position] = fromEntry(entry);
  const noted = kept && kept.traces.length === traces.length ? kept : null;
  noted?.traces.forEach((trace, position) => {
    if (holds(trace, traces[position] ?? UNSEEN)) traces[position] = { ...UNSEEN, ...trace };
  });
  const complete = traces.every((trace) => trace.says !== null);
  const position = noted && noted.position < traces.length ? noted.position : firstUnanswered(traces);
  const view = !resumed ? 'explanation' : complete ? 'review' : 'pictures';
  const aheadMs = work.now_ms - dateMs;
  return { ...NO_TASK, work, view, position, traces, clock: left(clock), aheadMs };
}

/** Whether what this page noted of a picture holds against what the server has: the later answer does. */
function holds(noted: Trace, kept: Trace): boolean {
  return noted.says === null ? kept.says === null : (noted.answeredAtMs ?? 0) >= kept.answeredAtMs;
}

/** The answers of another device or tab, where they are later than those of this page. */
function merged(state: Task, entries: readonly Entry[]): Task {
  const later = entries.filter((entry) => (entry.at_ms ?? 0) > (state.traces[entry.position]?.answeredAtMs ?? 0));
  if (later.length === 0) return state;
  const traces = state.traces.slice();
  for (const entry of later) traces[entry.position] = fromEntry(entry);
  return { ...state, traces, fromOthers: state.fromOthers + later.length };
}

function fromEntry(entry: Entry): Trace {
  return {
    says: entry.says,
    firstMs: entry.first_seconds * 1000,
    lookedMs: entry.seconds * 1000,
    awayMs: (entry.hidden_seconds ?? 0) * 1000,
    changes: entry.changes ?? 0,
    visits: entry.visits ?? 1,
    ready: entry.ready ?? true,
    answeredAtMs: entry.at_ms ?? 0,
  };
}

function pictureShown(state: Task, atMs: number, ready: boolean): Task {
  if (state.clock.shownAtMs !== null) return state;
  const trace = state.traces[state.position] ?? UNSEEN;
  const seen = { ...trace, visits: trace.visits + 1, ready: trace.ready && ready };
  return { ...state, traces: put(state.traces, state.position, seen), clock: shown(state.clock, atMs) };
}

function answered(state: Task, event: Extract<Happened, { type: 'pictureAnswered' }>): Task {
  const { position, says, atMs, dateMs } = event;
  if (position !== state.position || !state.traces[position]) return state;
  const visited = closed(state, atMs);
  const trace = visited.traces[position] ?? UNSEEN;
  const changed = trace.says !== null && trace.says !== says;
  const told: Trace = {
    ...trace,
    says,
    firstMs: trace.firstMs ?? trace.lookedMs,
    changes: trace.changes + (changed ? 1 : 0),
    visits: Math.max(1, trace.visits),
    // a clock that was set back must not make a change of mind the older answer
    answeredAtMs: Math.max(trace.answeredAtMs + 1, dateMs + state.aheadMs),
  };
  return onward({ ...visited, traces: put(visited.traces, position, told) });
}

function onward(state: Task): Task {
  const following = next(state);
  return following === 'review' ? { ...state, view: 'review', fromReview: false } : { ...state, position: following };
}

function moved(state: Task, position: number, atMs: number): Task {
  if (!state.traces[position]) return state;
  return { ...closed(state, atMs), position };
}

/** The visit to the present picture is over: its time is added up. */
function closed(state: Task, atMs: number): Task {
  const trace = state.traces[state.position];
  if (!trace || state.clock.shownAtMs === null) return state;
  const { lookedMs, awayMs } = read(state.clock, atMs);
  const added = { ...trace, lookedMs: trace.lookedMs + lookedMs, awayMs: trace.awayMs + awayMs };
  return { ...state, traces: put(state.traces, state.position, added), clock: left(state.clock) };
}

function put(traces: readonly Trace[], position: number, trace: Trace): readonly Trace[] {
  const copy = traces.slice();
  copy[position] = trace;
  return copy;
}

function seconds(ms: number): number {
  // the server takes at most a day, which only a clock set by hand can pass
  return Math.min(86_400, Math.round(ms) / 1000);
}
