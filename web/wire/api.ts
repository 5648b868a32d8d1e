/** The console API as RTK Query knows it; `generated.ts` adds the endpoints (`npm run wire` writes it). */

import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query/react';

/** The one part of the state that a request needs. */
export interface WithSession {
  session: { token: string };
}

export const api = createApi({
  baseQuery: fetchBaseQuery({
    credentials: 'omit',
    prepareHeaders: (headers, { getState }) => {
      headers.set('authorization', `Bearer ${(getState() as WithSession).session.token}`);
    },
  }),
  endpoints: () => ({}),
});
