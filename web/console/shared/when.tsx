import { ago } from './numbers';

/** A moment, told from now; the exact one on hover. */
export function When({ ms }: { ms: number }) {
  const date = new Date(ms);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {ago(ms, Date.now())}
    </time>
  );
}
