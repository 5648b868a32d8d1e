/** The sign of an answer or a decision, so that colour never carries it alone: filled circle, cross, ring. */
export type Kind = 'yes' | 'no' | 'unsure' | 'unknown';

const SHAPES: Record<Kind, string> = {
  yes: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z',
  no: 'm3.5 3.5 9 9m0-9-9 9',
  unsure: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3Z',
  unknown: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3Z',
};

export function Sign({ kind, size = 16 }: { kind: Kind; size?: number }) {
  return (
    <svg className={`sign ${kind}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[kind]} />
    </svg>
  );
}
