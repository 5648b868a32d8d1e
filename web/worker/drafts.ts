/** Posts answers while they may still change: after ten, after three seconds, and when the page goes away. */

import type { Memory } from './keep';
import { union } from './outbox';
import { Failure, type Server } from './server';
import type { Store } from './store';
import { entries } from './task';

const BATCH = 10;
const PATIENCE_MS = 3_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

export interface Drafts {
  /** Post what is not posted yet, now; `closing` lets the request outlive the page. */
  flush(closing: boolean): void;
}

export function drafts(store: Store, server: Server, memory: Memory, failed: (failure: unknown) => void): Drafts {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  let failures = 0;

  const post = async (closing: boolean) => {
    const { task, outbox, session } = store.getState();
    if (!task.work || session.waiting || (busy && !closing)) return;
    // a page that closes does not wait for what is under way: all of it goes again
    const positions = closing ? union(outbox.posted, outbox.dirty) : outbox.dirty;
    if (positions.length === 0) return;
    busy = true;
    clearTimeout(timer);
    timer = undefined;
    const { token } = task.work;
    const sequence = outbox.sequence + 1;
    store.dispatch({ type: 'draftsPosted', positions });
    // an answer about a task that is no longer here, or is being sent whole, changes nothing
    const stale = () => store.getState().task.work?.token !== token || store.getState().session.waiting;
    try {
      const kept = await server.keepDrafts(token, sequence, entries(task.traces, positions), closing);
      failures = 0;
      const { sequence: last, others, lease_until_ms: leaseUntilMs } = kept;
      if (!stale()) store.dispatch({ type: 'draftsKept', positions, sequence: last, leaseUntilMs, others });
    } catch (failure) {
      failures += 1;
      if (!stale()) {
        store.dispatch({ type: 'draftsFailed', positions });
        if (!(failure instanceof Failure && failure.passing)) failed(failure);
      }
    } finally {
      busy = false;
      look();
    }
  };

  const look = () => {
    const { task, outbox, session } = store.getState();
    if (!task.work || session.waiting || outbox.dirty.length === 0 || busy) return;
    if (failures === 0 && outbox.dirty.length >= BATCH) void post(false);
    else if (timer === undefined) {
      const wait = failures === 0 ? PATIENCE_MS : (RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? PATIENCE_MS);
      timer = setTimeout(() => {
        timer = undefined;
        void post(false);
      }, wait);
    }
  };

  let noted = store.getState();
  let pending = false;
  const note = () => {
    pending = false;
    const { task, outbox } = store.getState();
    if (!task.work) return;
    memory.keepDraft({
      token: task.work.token,
      position: task.position,
      // what is under way may not arrive: after a reload it is posted again, which changes nothing
      dirty: union(outbox.posted, outbox.dirty),
      traces: task.traces,
    });
  };

  store.subscribe(() => {
    const now = store.getState();
    if ((now.task !== noted.task || now.outbox !== noted.outbox) && now.task.work && !pending) {
      pending = true;
      // after the frame: writing a note must not hold up the next picture
      setTimeout(note, 50);
    }
    noted = now;
    look();
  });

  return {
    flush(closing) {
      failures = 0;
      void post(closing);
      note();
    },
  };
}
