import { configureStore } from '@reduxjs/toolkit';
import { setupListeners } from '@reduxjs/toolkit/query';
import { api } from '../../wire/api';
import { pictures } from '../features/pictures/slice';
import { forgetOnRefusal } from '../features/session/refusal';
import { session } from '../features/session/slice';
import { workers } from '../features/workers/slice';

export function createStore(token: string) {
  const store = configureStore({
    reducer: {
      [api.reducerPath]: api.reducer,
      session: session.reducer,
      pictures: pictures.reducer,
      workers: workers.reducer,
    },
    preloadedState: { session: { token, refused: false } },
    middleware: (usual) => usual().concat(forgetOnRefusal, api.middleware),
  });
  // a page in the background asks for nothing; one that comes back looks at once
  setupListeners(store.dispatch);
  return store;
}

export type Store = ReturnType<typeof createStore>;
export type State = ReturnType<Store['getState']>;
export type Dispatch = Store['dispatch'];
