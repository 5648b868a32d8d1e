import { describe, expect, test } from 'vitest';
import type { RoundWire, WorkerWire } from '../../wire/generated';
import { commandsIn } from '../shared/copy';
import { problemOf } from '../shared/problem';
import { decisionChosen, moreWanted, pictures, poolOpened } from './pictures/slice';
import { sentence } from './rounds/sentence';
import { tokenIn } from './session/token';
import { columnChosen, sorted, workers } from './workers/slice';

const worker = (id: string, changes: Partial<WorkerWire>): WorkerWire => ({
  id,
  name: id,
  owner: false,
  joined_ms: 0,
  standing: 'free',
  excluded_why: '',
  same_device: 0,
  same_address: 0,
  assignments: 1,
  accepted: 1,
  weighted: 0,
  rejected: 0,
  provisional: 0,
  answers: 10,
  gold_right: 0,
  gold_shown: 0,
  seconds: null,
  ...changes,
});

const round = (number: number, yes: number, no: number, unknown: number): RoundWire => ({
  number,
  at_ms: 0,
  seconds: 1,
  backbone: 'efficientnet-lite0',
  labels_yes: 1,
  labels_no: 1,
  yes,
  no,
  unknown,
  lower: null,
  upper: null,
  measures: {},
});

describe('pictures', () => {
  const start = pictures.reducer(undefined, poolOpened('car'));

  test('another decision begins at its first page, the same page is asked for once', () => {
    let view = pictures.reducer(start, moreWanted(60));
    view = pictures.reducer(view, moreWanted(60));
    expect(view.pages).toEqual([null, 60]);
    expect(pictures.reducer(view, decisionChosen('yes'))).toEqual({ category: 'car', decision: 'yes', pages: [null] });
  });

  test('another category begins anew, the same one stays where it was', () => {
    const view = pictures.reducer(start, moreWanted(60));
    expect(pictures.reducer(view, poolOpened('car'))).toBe(view);
    expect(pictures.reducer(view, poolOpened('dog')).pages).toEqual([null]);
  });
});

describe('the workers’ table', () => {
  const all = [
    worker('a', { gold_right: 8, gold_shown: 10 }),
    worker('b', { gold_right: 20, gold_shown: 20 }),
    worker('c', {}),
  ];
  const names = (column: 'gold' | 'name', descending: boolean) =>
    sorted(all, { column, descending }).map(({ id }) => id);

  test('sorts by the share of gold, with those who were shown none at the end', () => {
    expect(names('gold', true)).toEqual(['b', 'a', 'c']);
    expect(names('name', false)).toEqual(['a', 'b', 'c']);
  });

  test('a second choice of a column turns it round', () => {
    const once = workers.reducer(undefined, columnChosen('gold'));
    expect(once).toEqual({ column: 'gold', descending: true });
    expect(workers.reducer(once, columnChosen('gold')).descending).toBe(false);
  });
});

describe('words', () => {
  test('of the rounds say what the chart shows', () => {
    expect(sentence([round(1, 10, 20, 70)])).toBe(
      'After 1 round, 30.0 % of 100 pictures were decided: 10 yes, 20 no; 70 were unknown.',
    );
    expect(sentence([round(1, 10, 20, 70), round(2, 30, 40, 30)])).toBe(
      'After 2 rounds, 70.0 % of 100 pictures were decided; 30 were unknown, 40 fewer than in the round before.',
    );
  });

  test('of a problem say what, where and the next step', () => {
    const failure = { status: 404, data: { detail: 'no such category.', where: 'car', next: 'thresher status' } };
    expect(problemOf(failure)).toEqual({ what: 'car: no such category.', next: 'Next: thresher status' });
    expect(problemOf({ status: 'FETCH_ERROR', error: '' }).what).toBe('The server cannot be reached.');
    expect(problemOf({ status: 502, data: undefined }).what).toBe('The server answered 502.');
  });

  test('of the server hold commands between backticks', () => {
    expect(commandsIn('images: run `thresher harvest car --folder ...`')).toEqual([
      'thresher harvest car --folder ...',
    ]);
    expect(commandsIn('annotators: 2 tasks are open')).toEqual([]);
  });
});

describe('the door', () => {
  test.each([
    ['http://127.0.0.1:8765/?token=abc', 'abc'],
    [' abc ', 'abc'],
  ])('takes %j', (pasted, token) => expect(tokenIn(pasted)).toBe(token));
});
