/** The store: three pure reducers, each with one story, and a hook to read them. */

import { useSyncExternalStore } from 'react';
import { legacy_createStore, type Store as ReduxStore } from 'redux';
import type { Happened } from './events';
import { EMPTY_OUTBOX, type Outbox, outbox } from './outbox';
import { NEW_SESSION, type Session, session } from './session';
import { NO_TASK, type Task, task } from './task';

export interface State {
  session: Session;
  task: Task;
  outbox: Outbox;
}

export type Store = ReduxStore<State, Happened>;

export const START: State = { session: NEW_SESSION, task: NO_TASK, outbox: EMPTY_OUTBOX };

export function reduce(state: State = START, event: Happened): State {
  return {
    session: session(state.session, event),
    task: task(state.task, event),
    outbox: outbox(state.outbox, event),
  };
}

export function createStore(): Store {
  // "legacy" is Redux's name for its core without a toolkit, which would weigh more than this whole page
  return legacy_createStore(reduce);
}

export function useStore<T>(store: Store, select: (state: State) => T): T {
  return useSyncExternalStore(store.subscribe, () => select(store.getState()));
}
