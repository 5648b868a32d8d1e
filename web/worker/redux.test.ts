import { legacy_createStore as theirs } from 'redux';
import { expect, test } from 'vitest';
import { legacy_createStore as ours } from './redux';

type Action = { type: string; by?: number };
const count = (state = 0, action: Action) => (action.type === 'added' ? state + (action.by ?? 1) : state);

test.each([
  ['Redux', theirs],
  ['what this page has of it', ours],
])('%s tells those who listened when it happened, after it happened', (_name, createStore) => {
  const store = createStore(count);
  const heard: string[] = [];
  const tell = () => heard.push(`late ${store.getState()}`);
  const leave = store.subscribe(() => {
    heard.push(`first ${store.getState()}`);
    if (store.getState() === 1) store.subscribe(tell);
  });
  const again = store.subscribe(tell);
  store.subscribe(tell);
  expect(store.getState()).toBe(0);
  expect(store.dispatch({ type: 'added' })).toEqual({ type: 'added' });
  expect(heard).toEqual(['first 1', 'late 1', 'late 1']);
  leave();
  again();
  again();
  store.dispatch({ type: 'added', by: 4 });
  expect(heard.slice(3)).toEqual(['late 5', 'late 5']);
  store.dispatch({ type: 'other' });
  expect([store.getState(), heard.length]).toEqual([5, 7]);
});
