/** Which pictures of a pool are looked at: of one decision or all, and how many pages of them. */

import { createSlice, type PayloadAction } from '@reduxjs/toolkit';
import type { Decision } from '../../../wire/generated';

export interface PicturesView {
  category: string;
  decision: Decision | null;
  /** Where each shown page begins; the keys come from the server, so pages never overlap or skip. */
  pages: (number | null)[];
}

const START: PicturesView = { category: '', decision: null, pages: [null] };

export const pictures = createSlice({
  name: 'pictures',
  initialState: START,
  reducers: {
    poolOpened: (state, { payload }: PayloadAction<string>) =>
      state.category === payload ? state : { ...START, category: payload },
    decisionChosen: (state, { payload }: PayloadAction<Decision | null>) => ({
      ...state,
      decision: payload,
      pages: [null],
    }),
    moreWanted: (state, { payload }: PayloadAction<number>) => {
      if (!state.pages.includes(payload)) state.pages.push(payload);
    },
  },
});

export const { poolOpened, decisionChosen, moreWanted } = pictures.actions;
