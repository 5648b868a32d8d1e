import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answer, begun, deeds, lived, told, work } from './for-tests';
import { START, type State } from './store';
import { answeredCount, entries } from './task';

describe('going through an assignment', () => {
  test('an answer leads to the next picture, the last one to the review', () => {
    let state = begun(2);
    state = answer(state, 'yes', 0);
    expect([state.task.view, state.task.position]).toEqual(['pictures', 1]);
    state = answer(state, 'no', 2000);
    expect(state.task.view).toBe('review');
    expect(state.task.traces.map((trace) => trace.says)).toEqual(['yes', 'no']);
  });

  test('going back and answering differently counts one change and two visits', () => {
    let state = answer(begun(3), 'yes', 0, 500);
    state = told(state, [
      { type: 'pictureShown', atMs: 1000, ready: true },
      { type: 'wentBack', atMs: 1200 },
    ]);
    state = answer(state, 'no', 2000, 300);
    expect(entries(state.task.traces, [0])).toEqual([
      {
        position: 0,
        says: 'no',
        first_seconds: 0.5,
        seconds: 0.8,
        changes: 1,
        visits: 2,
        hidden_seconds: 0,
        ready: true,
        at_ms: 2300,
      },
    ]);
  });

  test('a picture reached from the review leads back to it', () => {
    let state = answer(answer(answer(begun(3), 'yes', 0), 'yes', 2000), 'yes', 4000);
    state = answer(told(state, [{ type: 'jumpedTo', position: 0, atMs: 6000 }]), 'no', 6100);
    expect([state.task.view, answeredCount(state.task)]).toEqual(['review', 3]);
  });

  test('forward leads only past answered pictures', () => {
    const state = told(begun(3), [{ type: 'wentForward', atMs: 10 }]);
    expect(state.task.position).toBe(0);
  });

  test('the time nobody looks is not counted as looking', () => {
    let state = told(begun(1), [
      { type: 'pictureShown', atMs: 1000, ready: true },
      { type: 'lookedAway', why: 'hidden', atMs: 1500 },
      { type: 'lookedAway', why: 'paused', atMs: 2000 },
      { type: 'lookedBack', why: 'hidden', atMs: 3000 },
      { type: 'lookedBack', why: 'paused', atMs: 4000 },
    ]);
    state = told(state, [{ type: 'pictureAnswered', position: 0, says: 'no', atMs: 4250, dateMs: 4250 }]);
    expect(entries(state.task.traces, [0])[0]).toMatchObject({ seconds: 0.75, hidden_seconds: 2.5 });
  });

  test('an answer to another picture than the present one is ignored', () => {
    const state = begun(3);
    expect(told(state, [{ type: 'pictureAnswered', position: 2, says: 'yes', atMs: 1, dateMs: 1 }]).task).toBe(
      state.task,
    );
  });
});

describe('resuming', () => {
  const drafted = {
    entries: [
      {
        position: 0,
        says: 'yes' as const,
        first_seconds: 1,
        seconds: 2,
        changes: 1,
        visits: 2,
        hidden_seconds: 0.5,
        at_ms: 1500,
      },
    ],
    sequence: 4,
  };

  test('starts at the first unanswered picture, with the drafts in place', () => {
    const state = told(START, [{ type: 'workDealt', work: work(3, drafted), kept: null, resumed: true, dateMs: 0 }]);
    expect([state.task.view, state.task.position, state.outbox.sequence]).toEqual(['pictures', 1, 4]);
    expect(entries(state.task.traces, [0])).toEqual([{ ...drafted.entries[0], ready: true }]);
  });

  test('the notes of this page win over earlier drafts of the server, not over later ones', () => {
    const noted = answer(answer(begun(3), 'no', 0), 'yes', 2000);
    const kept = { token: 'token', position: 2, dirty: [1], traces: noted.task.traces };
    const resumed = (at_ms: number) => {
      const entries = drafted.entries.map((entry) => ({ ...entry, at_ms }));
      const later = work(3, { ...drafted, entries });
      return told(START, [{ type: 'workDealt', work: later, kept, resumed: true, dateMs: 0 }]);
    };
    expect(resumed(900).task.traces.map((trace) => trace.says)).toEqual(['no', 'yes', null]);
    expect(resumed(1100).task.traces.map((trace) => trace.says)).toEqual(['yes', 'yes', null]);
    expect([resumed(900).task.position, resumed(900).outbox.dirty]).toEqual([2, [1]]);
  });

  test('a whole assignment opens at the review', () => {
    const whole = work(1, drafted);
    const state = told(START, [{ type: 'workDealt', work: whole, kept: null, resumed: true, dateMs: 0 }]);
    expect(state.task.view).toBe('review');
  });
});

describe('another device', () => {
  const entry = (position: number, says: 'yes' | 'no', at_ms: number) => ({
    position,
    says,
    first_seconds: 1,
    seconds: 1,
    at_ms,
  });
  const kept = (state: State, sequence: number, others: ReturnType<typeof entry>[]) =>
    told(state, [{ type: 'draftsKept', positions: [], sequence, leaseUntilMs: 0, others }]);

  test('answers that came later than ours are taken, earlier ones are not', () => {
    const mine = answer(answer(begun(4), 'yes', 0), 'yes', 2000); // answered at 1000 and 3000
    const state = kept(mine, 7, [entry(0, 'no', 1500), entry(1, 'no', 2500), entry(2, 'no', 1)]);
    expect(state.task.traces.map((trace) => trace.says)).toEqual(['no', 'yes', 'no', null]);
    expect([state.task.fromOthers, state.task.position, state.outbox.sequence]).toEqual([2, 2, 7]);
  });

  test('our own answers coming back are nothing new', () => {
    const mine = answer(begun(2), 'yes', 0);
    const state = kept(mine, 2, entries(mine.task.traces, [0]) as ReturnType<typeof entry>[]);
    expect(state.task.fromOthers).toBe(0);
    expect(state.task.traces).toBe(mine.task.traces);
  });

  test('times are told by the clock of the server, and a clock set back loses no change of mind', () => {
    let state = told(START, [
      { type: 'workDealt', work: work(2, { now_ms: 5_000_000 }), kept: null, resumed: false, dateMs: 1_000_000 },
      { type: 'explanationRead' },
    ]);
    const say = (says: 'yes' | 'no', dateMs: number) =>
      told(state, [{ type: 'pictureAnswered', position: 0, says, atMs: 1, dateMs }]);
    state = say('yes', 1_000_500);
    expect(entries(state.task.traces, [0])[0]?.at_ms).toBe(5_000_500);
    state = told(state, [{ type: 'wentBack', atMs: 2 }]);
    state = say('no', 900_000);
    expect(entries(state.task.traces, [0])[0]).toMatchObject({ says: 'no', at_ms: 5_000_501 });
  });
});

describe('whatever a worker does', () => {
  const SIZE = 7;

  test('each picture has at most one answer, and every answer given is still there', () => {
    fc.assert(
      fc.property(deeds, (done) => {
        let known = 0;
        for (const { state } of lived(begun(SIZE), done)) {
          expect(state.task.traces).toHaveLength(SIZE);
          expect(state.task.position).toBeGreaterThanOrEqual(0);
          expect(state.task.position).toBeLessThan(SIZE);
          expect(answeredCount(state.task)).toBeGreaterThanOrEqual(known);
          known = answeredCount(state.task);
        }
      }),
    );
  });

  test('looking and not looking add up to no more than the time that passed', () => {
    fc.assert(
      fc.property(deeds, (done) => {
        const life = lived(begun(SIZE), done);
        const end = life.at(-1);
        if (!end) return;
        const spent = end.state.task.traces.reduce((sum, trace) => sum + trace.lookedMs + trace.awayMs, 0);
        expect(spent).toBeLessThanOrEqual(end.atMs);
        for (const trace of end.state.task.traces) {
          expect(Math.min(trace.lookedMs, trace.awayMs, trace.changes, trace.visits)).toBeGreaterThanOrEqual(0);
          if (trace.says !== null) expect(trace.firstMs).toBeLessThanOrEqual(trace.lookedMs);
        }
      }),
    );
  });

  test('what is sent holds every answered position once, within the bounds of the wire', () => {
    fc.assert(
      fc.property(deeds, (done) => {
        const { task } = lived(begun(SIZE), done).at(-1)?.state ?? begun(SIZE);
        const sent = entries(task.traces, task.traces.keys());
        expect(new Set(sent.map((entry) => entry.position)).size).toBe(sent.length);
        expect(sent).toHaveLength(answeredCount(task));
        for (const entry of sent) {
          expect(entry.visits).toBeGreaterThanOrEqual(1);
          expect(entry.seconds).toBeLessThanOrEqual(86_400);
        }
      }),
    );
  });
});
