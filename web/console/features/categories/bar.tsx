import { type Kind, Sign } from '../../../look/signs';
import { percent, whole } from '../../shared/numbers';

export interface Counts {
  yes: number;
  no: number;
  unknown: number;
}

const PARTS: readonly { kind: Kind & keyof Counts; word: string }[] = [
  { kind: 'no', word: 'No' },
  { kind: 'unknown', word: 'Unknown' },
  { kind: 'yes', word: 'Yes' },
];

/** The pool as one bar with its parts named beside it: no on the left, unknown in the middle, yes on the right. */
export function PoolBar({ counts, small = false }: { counts: Counts; small?: boolean }) {
  const all = counts.yes + counts.no + counts.unknown;
  return (
    <div className={small ? 'pool small' : 'pool'}>
      <div className="pool-bar" aria-hidden="true">
        {PARTS.map(
          ({ kind }) => counts[kind] > 0 && <span key={kind} className={kind} style={{ flexGrow: counts[kind] }} />,
        )}
      </div>
      <ul className="pool-parts">
        {PARTS.map(({ kind, word }) => (
          <li key={kind} className={`part ${kind}`}>
            <Sign kind={kind} size={14} /> {word} <strong className="number">{whole(counts[kind])}</strong>
            {!small && all > 0 && <span className="quiet number"> {percent(counts[kind] / all)}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
