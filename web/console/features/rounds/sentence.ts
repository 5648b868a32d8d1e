import type { RoundWire } from '../../../wire/generated';
import { count, percent, whole } from '../../shared/numbers';

/** What the chart shows, in words. */
export function sentence(rounds: readonly RoundWire[]): string {
  const last = rounds.at(-1);
  if (!last) return '';
  const all = last.yes + last.no + last.unknown;
  const decided = `After ${count(rounds.length, 'round')}, ${percent((last.yes + last.no) / all)} of ${count(all, 'picture')} were decided`;
  const before = rounds.at(-2);
  if (!before) return `${decided}: ${whole(last.yes)} yes, ${whole(last.no)} no; ${whole(last.unknown)} were unknown.`;
  const fewer = before.unknown - last.unknown;
  const change = fewer === 0 ? 'as many as' : `${whole(Math.abs(fewer))} ${fewer > 0 ? 'fewer' : 'more'} than`;
  return `${decided}; ${whole(last.unknown)} were unknown, ${change} in the round before.`;
}
