/** How the workers' table is sorted. */

import { createSlice, type PayloadAction } from '@reduxjs/toolkit';
import type { WorkerWire } from '../../../wire/generated';

export type Column = 'name' | 'joined' | 'assignments' | 'answers' | 'gold' | 'seconds';

export interface Sorting {
  column: Column;
  descending: boolean;
}

const START: Sorting = { column: 'answers', descending: true };

export const workers = createSlice({
  name: 'workers',
  initialState: START,
  reducers: {
    columnChosen: (state, { payload }: PayloadAction<Column>) => ({
      column: payload,
      descending: state.column === payload ? !state.descending : payload !== 'name',
    }),
  },
});

export const { columnChosen } = workers.actions;

const KEYS: Record<Column, (worker: WorkerWire) => number | string> = {
  name: (worker) => worker.name.toLowerCase(),
  joined: (worker) => worker.joined_ms,
  assignments: (worker) => worker.assignments,
  answers: (worker) => worker.answers,
  // nobody's share of nothing goes to the end
  gold: (worker) => (worker.gold_shown ? worker.gold_right / worker.gold_shown : -1),
  seconds: (worker) => worker.seconds ?? -1,
};

export function sorted(all: readonly WorkerWire[], { column, descending }: Sorting): WorkerWire[] {
  const key = KEYS[column];
  const sign = descending ? -1 : 1;
  return [...all].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    return sign * (a < b ? -1 : a > b ? 1 : 0) || one.id.localeCompare(other.id);
  });
}
