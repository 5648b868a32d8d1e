/** Which answers the server has not acknowledged yet, and until when the lease holds. Pure. */

import type { Happened } from './events';

export interface Outbox {
  /** That of the server's last reply: if a post gets another one than the next, another device posted in between. */
  sequence: number;
  /** Answered since the last post. */
  dirty: readonly number[];
  /** Under way. */
  posted: readonly number[];
  /** By this device's own clock. */
  leaseUntilMs: number;
  /** What the server's clock is ahead of this device's. */
  aheadMs: number;
}

export const EMPTY_OUTBOX: Outbox = { sequence: 0, dirty: [], posted: [], leaseUntilMs: 0, aheadMs: 0 };

export function outbox(state: Outbox, event: Happened): Outbox {
  switch (event.type) {
    case 'workDealt': {
      const { work, kept, dateMs } = event;
      const aheadMs = work.now_ms - dateMs;
      return {
        sequence: work.sequence,
        dirty: kept?.dirty ?? [],
        posted: [],
        leaseUntilMs: work.lease_until_ms - aheadMs,
        aheadMs,
      };
    }
    case 'pictureAnswered':
      return state.dirty.includes(event.position) ? state : { ...state, dirty: [...state.dirty, event.position] };
    case 'workSeen':
      return {
        ...state,
        sequence: Math.max(state.sequence, event.work.sequence),
        leaseUntilMs: event.work.lease_until_ms - state.aheadMs,
      };
    case 'draftsPosted':
      return {
        ...state,
        posted: union(state.posted, event.positions),
        dirty: without(state.dirty, event.positions),
      };
    case 'draftsKept':
      return {
        ...state,
        sequence: Math.max(state.sequence, event.sequence),
        posted: without(state.posted, event.positions),
        leaseUntilMs: event.leaseUntilMs - state.aheadMs,
      };
    case 'draftsFailed':
      return {
        ...state,
        posted: without(state.posted, event.positions),
        dirty: union(event.positions, state.dirty),
      };
    case 'taskSent':
    case 'workReturned':
    case 'troubleCame':
    case 'homeOpened':
      return EMPTY_OUTBOX;
    default:
      return state;
  }
}

export function union(these: readonly number[], those: readonly number[]): number[] {
  return [...new Set([...these, ...those])];
}

function without(these: readonly number[], those: readonly number[]): number[] {
  return these.filter((position) => !those.includes(position));
}
