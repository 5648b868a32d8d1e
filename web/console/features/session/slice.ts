/** Who looks: the console's token, and whether the server still takes it. */

import { createSlice, type PayloadAction } from '@reduxjs/toolkit';

export interface Session {
  token: string;
  refused: boolean;
}

const START: Session = { token: '', refused: false };

export const session = createSlice({
  name: 'session',
  initialState: START,
  reducers: {
    tokenGiven: (_state, { payload }: PayloadAction<string>) => ({ token: payload, refused: false }),
    tokenRefused: () => ({ token: '', refused: true }),
  },
});

export const { tokenGiven, tokenRefused } = session.actions;
