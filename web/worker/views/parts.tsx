/** Small parts that several views share. */

import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { Sign } from '../../look/signs';
import type { Says } from '../../wire/generated';
import { type Store, useStore } from '../store';

export const WORDS: Record<Says, string> = { yes: 'Yes', no: 'No', unsure: 'Unsure' };
export const ANSWERS: readonly Says[] = ['yes', 'no', 'unsure'];

/** A page of text: the mark, one heading that takes the focus, and what follows. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new title is a new page, which is read from its top
  useLayoutEffect(() => heading.current?.focus(), [title]);
  return (
    <main className="page">
      <p className="brand">thresher</p>
      <h1 tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {children}
    </main>
  );
}

export function Answer({ says }: { says: Says }) {
  return (
    <span className={`answer ${says}`}>
      <Sign kind={says} /> {WORDS[says]}
    </span>
  );
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Said once answers of another device or tab came: two open pages are no mistake, and nothing is lost. */
export function Others({ store }: { store: Store }) {
  const some = useStore(store, (state) => state.task.fromOthers > 0);
  return (
    <div role="status" className="banner-place">
      {some && (
        <p className="banner">
          This task is open on another device or tab too. All answers are kept; the last one counts.
        </p>
      )}
    </div>
  );
}

/** Said once the connection is gone, wherever the worker is. The owner's server ends with the command that runs it. */
export function Offline({ store, children }: { store: Store; children: ReactNode }) {
  const { online, me } = useStore(store, (state) => state.session);
  return (
    <div role="status" className="banner-place">
      {!online && (
        <p className="banner">
          {children}
          {me?.owner && ' If the command in your terminal has ended, it says there whether more answers are needed.'}
        </p>
      )}
    </div>
  );
}
