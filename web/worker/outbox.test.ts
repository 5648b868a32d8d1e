import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Entry, Kept as KeptWire } from '../wire/generated';
import { drafts } from './drafts';
import type { Kept } from './events';
import { answer, begun, work } from './for-tests';
import type { Memory } from './keep';
import { Failure, type Server } from './server';
import { createStore } from './store';

/** A server that counts posts as the real one does: one with an old sequence gets the next one. */
function keeping() {
  const posts: { sequence: number; entries: Entry[] }[] = [];
  const failures: Failure[] = [];
  const others: Entry[] = [];
  let last = 0;
  const elsewhere = (entry: Entry) => {
    others.push(entry);
    last += 1;
  };
  const keepDrafts = async (_token: string, sequence: number, entries: Entry[]): Promise<KeptWire> => {
    const failure = failures.shift();
    if (failure) throw failure;
    posts.push({ sequence, entries });
    last = Math.max(sequence, last + 1);
    return {
      sequence: last,
      entries: entries.length,
      others: last === sequence ? [] : others,
      lease_until_ms: 7_200_000,
    };
  };
  return { server: { keepDrafts } as unknown as Server, posts, failures, elsewhere };
}

function page() {
  const { server, posts, failures, elsewhere } = keeping();
  const notes: Kept[] = [];
  const memory = { keepDraft: (kept: Kept | null) => void (kept && notes.push(kept)) } as Memory;
  const ended: unknown[] = [];
  const store = createStore();
  const outbox = drafts(store, server, memory, (failure) => ended.push(failure));
  store.dispatch({ type: 'workDealt', work: work(30), kept: null, resumed: false, dateMs: 0 });
  store.dispatch({ type: 'explanationRead' });
  const say = (count: number) => {
    for (let times = 0; times < count; times++) {
      const { position } = store.getState().task;
      store.dispatch({ type: 'pictureAnswered', position, says: 'yes', atMs: 0, dateMs: 0 });
    }
  };
  return { store, outbox, posts, failures, notes, ended, say, elsewhere };
}

const positions = (post: { entries: Entry[] } | undefined) => post?.entries.map((entry) => entry.position);

describe('drafts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('ten answers are posted at once, and each only once', async () => {
    const { posts, say } = page();
    say(10);
    await vi.advanceTimersByTimeAsync(0);
    say(10);
    await vi.advanceTimersByTimeAsync(0);
    expect(posts.map((post) => post.sequence)).toEqual([1, 2]);
    expect(posts.map((post) => post.entries.length)).toEqual([10, 10]);
  });

  test('a few answers are posted after three seconds', async () => {
    const { posts, say } = page();
    say(2);
    await vi.advanceTimersByTimeAsync(2_900);
    expect(posts).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(positions(posts[0])).toEqual([0, 1]);
  });

  test('what did not arrive is posted again, later and later, and nothing is lost', async () => {
    const { posts, failures, say, store } = page();
    failures.push(new Failure(0, ''), new Failure(503, ''));
    say(10);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.getState().session.online).toBe(false);
    say(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(posts).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(positions(posts[0])?.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(store.getState().session.online).toBe(true);
  });

  test('a page that closes posts everything that is not acknowledged, what is under way included', async () => {
    const { outbox, posts, say, store } = page();
    store.dispatch({ type: 'draftsPosted', positions: [0] });
    say(2);
    outbox.flush(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(positions(posts[0])).toEqual([0, 1]);
    expect(posts[0]?.sequence).toBe(1);
  });

  test('a lease that ended is told, and ends the posting', async () => {
    const { failures, say, ended } = page();
    failures.push(new Failure(410, 'over'));
    say(10);
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toEqual([new Failure(410, 'over')]);
  });

  test('answers of another device are heard of with the next post, and the one after that is in turn again', async () => {
    const { posts, say, store, elsewhere } = page();
    elsewhere({ position: 20, says: 'no', first_seconds: 1, seconds: 1, at_ms: 5 });
    say(10);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.getState().task.traces[20]?.says).toBe('no');
    expect([store.getState().task.fromOthers, store.getState().outbox.dirty]).toEqual([1, []]);
    say(10);
    await vi.advanceTimersByTimeAsync(0);
    expect(posts.map((post) => post.sequence)).toEqual([1, 3]);
    expect(store.getState().outbox.sequence).toBe(3);
  });

  test('nothing is posted while the whole assignment is being sent', async () => {
    const { posts, say, store } = page();
    store.dispatch({ type: 'waitBegan' });
    say(10);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(posts).toEqual([]);
  });

  test('the notes for a reload hold every answer and what was not acknowledged', async () => {
    const { notes, say } = page();
    say(3);
    await vi.advanceTimersByTimeAsync(100);
    expect(notes.at(-1)).toMatchObject({ token: 'token', position: 3, dirty: [0, 1, 2] });
  });
});

test('an acknowledged post makes the lease longer, by this device’s own clock', () => {
  const state = answer(begun(3, { now_ms: 1_000_000, lease_until_ms: 1_060_000 }), 'yes', 0);
  expect(state.outbox.leaseUntilMs).toBe(60_000);
});
