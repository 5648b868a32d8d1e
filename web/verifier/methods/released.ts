/** The released set: which units are released, and which of their copies. */
import { YES } from '../proof/evidence';
import { beta } from '../proof/numbers';
import { knownUnits } from '../proof/pool';
import type { Case, Proven } from './case';

export interface Released {
  ranks: Set<number>;
  /** Known units, by id. */
  known: Set<string>;
  /** Ranks that are yes today and are not released. */
  withheld: number;
}

/** The released units, before the owner's check. */
export function released(one: Case, proven: Proven): Released {
  const { evidence, pool, frozen } = one;
  const known = new Set<string>();
  for (const [id] of knownUnits(pool)) {
    if (evidence.todayOf.get(id)?.now === YES && !evidence.heldBack.has(id)) known.add(id);
  }
  const ranks = new Set<number>();
  for (let rank = 0; rank < one.n; rank += 1) {
    const now = evidence.today.get(rank)?.now ?? null;
    if (proven.accepts(rank) && (now === null || now === YES)) ranks.add(rank);
  }
  const outside = evidence.answered.filter((rank) => !proven.accepts(rank) && evidence.today.get(rank)?.now === YES);
  const kept = frozen.gold === null || frozen.method === 'recall' ? outside : outsideWithGold(one, proven, outside);
  for (const rank of kept) ranks.add(rank);
  const yesToday = evidence.answered.filter((rank) => evidence.today.get(rank)?.now === YES);
  return { ranks, known, withheld: yesToday.filter((rank) => !ranks.has(rank)).length };
}

/** With gold, the bounds count slips for the accepted set and the singles only: of the others, those of the owner, and the near ones if they fit. */
function outsideWithGold(one: Case, proven: Proven, outside: number[]): number[] {
  const { evidence, frozen } = one;
  const owners = (rank: number): boolean => evidence.today.get(rank)?.source === 'owner';
  const near = (rank: number): boolean =>
    frozen.method === 'precision' && evidence.e(rank) === YES && rank < one.top.rank && !owners(rank);
  const nearOnes = outside.filter(near);
  const fit = nearOnes.length > 0 && nearFit(one, nearOnes.length, outside.filter(owners).length);
  return outside.filter(
    (rank) => owners(rank) || (evidence.e(rank) === YES && proven.single(rank)) || (fit && near(rank)),
  );
}

function nearFit(one: Case, k: number, o: number): boolean {
  const { evidence, accepted, frozen, slips } = one;
  const l = one.count(0, accepted, (e, rank) => e !== YES && evidence.today.get(rank)?.now !== YES);
  const x = one.count(0, one.top.rank, (e) => e !== YES);
  let s = 0;
  while (s < k) {
    const t = s + 1;
    if (!(beta(slips.no, 1 - slips.no, t, x + 1) > (2 * slips.part) / (t * (t + 1)))) break;
    s = t;
  }
  return s <= (1 - frozen.p) * (k + o) + frozen.p * l + 1e-9;
}

/** The ids of the released images: the units, and their copies but for those whose own label is not yes. */
export function releasedImages({ pool, evidence }: Case, units: Released): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const rank of units.ranks) found.set(pool.ranking[rank] ?? '', null);
  for (const id of units.known) found.set(id, null);
  for (const [id, unit] of pool.unitOf) {
    const now = evidence.todayOf.get(id)?.now ?? null;
    if (found.get(unit) === null && (now === null || now === YES)) found.set(id, unit); // null: a unit that is released
  }
  return found;
}
