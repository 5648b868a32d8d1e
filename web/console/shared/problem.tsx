import type { SerializedError } from '@reduxjs/toolkit';
import type { FetchBaseQueryError } from '@reduxjs/toolkit/query';
import type { Problem } from '../../wire/generated';
import { WithCommands } from './copy';

type Failure = FetchBaseQueryError | SerializedError | undefined;

/** What went wrong, where, and the next step, from whatever a query failed with. */
export function problemOf(failure: Failure): { what: string; next: string } {
  if (failure && 'status' in failure) {
    if (failure.status === 'FETCH_ERROR') {
      return { what: 'The server cannot be reached.', next: 'Next: check that `thresher serve` is running' };
    }
    const problem = failure.data as Partial<Problem> | undefined;
    if (problem?.detail) {
      const what = problem.where ? `${problem.where}: ${problem.detail}` : capital(problem.detail);
      return { what, next: problem.next ? `Next: ${problem.next}` : '' };
    }
    return { what: `The server answered ${failure.status}.`, next: '' };
  }
  return { what: 'This page has an error.', next: 'Reload the page.' };
}

export function Failed({ error }: { error: Failure }) {
  if (!error) return null;
  const { what, next } = problemOf(error);
  return (
    <div className="failed" role="alert">
      <strong>{what}</strong> <WithCommands text={next} />
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
