import { isRejectedWithValue, type Middleware } from '@reduxjs/toolkit';
import { forget } from './keep';
import { tokenRefused } from './slice';

/** A token that the server does not take is forgotten, wherever the refusal came from. */
export const forgetOnRefusal: Middleware = (store) => (next) => (action) => {
  if (isRejectedWithValue(action) && (action.payload as { status?: unknown } | undefined)?.status === 401) {
    forget();
    store.dispatch(tokenRefused());
  }
  return next(action);
};
