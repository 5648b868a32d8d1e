/** Numbers as a reader wants them: grouped, with their unit, and with their interval where they are estimates. */

const WHOLE = new Intl.NumberFormat('en');
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function whole(number: number): string {
  return WHOLE.format(number);
}

/** A share of one as "96.1 %". */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** "1 picture", "1,204 pictures". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "5 minutes ago". */
export function ago(ms: number, nowMs: number): string {
  const past = nowMs - ms;
  for (const [unit, size] of STEPS) {
    if (Math.abs(past) >= size) return RELATIVE.format(-Math.round(past / size), unit);
  }
  return 'just now';
}

export interface Interval {
  share: number;
  lower: number;
  upper: number;
}

/** A share with its 95 % interval (Wilson 1927, the score interval: honest for few trials and near 0 and 1). */
export function wilson(right: number, of: number): Interval | null {
  if (of <= 0) return null;
  const z = 1.959964;
  const share = right / of;
  const middle = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return { share, lower: Math.max(0, middle - half), upper: Math.min(1, middle + half) };
}

/** Seconds as "1.8 s" or "3 min 20 s". */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
