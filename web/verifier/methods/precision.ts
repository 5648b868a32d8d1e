/** The method `precision`: the highest rung that its draws prove, and what it misses, which is reported only. */
import { order } from '../proof/digest';
import { NO, UNSURE, YES } from '../proof/evidence';
import { must } from '../proof/faults';
import { cut4, floorStar } from '../proof/numbers';
import { accepts, most } from '../proof/urn';
import { logged } from './accepted-set';
import { type Case, PROOF, type Proven, sum } from './case';

export function precision(one: Case): Proven {
  const { frozen, accepted, rejected, n, evidence, slips } = one;
  const { p, ladder, gold } = frozen;
  const { rank: top, rejectDelta } = one.top;
  must(rejected === n, PROOF, 'rejected is not the number of ranks');
  must(gold === null || frozen.looks === 0, PROOF, 'ranks were looked at first although there is gold');
  must(top + frozen.looks <= n, PROOF, 'more ranks were looked at first than there are');
  one.complete(top, top + frozen.looks, 'those that are looked at first');
  const sure = evidence.Y + one.count(top, top + frozen.looks, (e) => e === YES);
  one.rung();
  const acceptDelta = one.certificate.counts.real('accept_delta');
  const chain = ladder.filter((rung) => rung.acceptDelta === acceptDelta && rung.rank <= accepted);
  must(
    chain.some(({ rank }) => rank === accepted),
    PROOF,
    'accepted is no rung of the chain with this accept_delta',
  );

  const acceptDraws = below(one, top, accepted, one.said('accept_drawn', accepted));
  one.numbered('accept', acceptDraws);
  const boundOf = (h: number): number => slips.falseBound((1 - p) * (sure + h), frozen.adjudicated);
  for (const { rank } of chain) {
    const proven =
      rank <= floorStar(boundOf(rank)) || provenSometime(one, acceptDraws, rank, boundOf(rank), acceptDelta);
    must(proven, PROOF, `the draws do not prove the precision of the rung ${rank}`);
  }
  const chains = new Set(ladder.map((rung) => rung.acceptDelta));
  one.spends(sum([...chains]));

  const size = n - accepted;
  const rejectDraws = one.drawn('reject', size, one.said('reject_drawn', size), (item) => accepted + item);
  one.numbered('reject', rejectDraws);
  const rejectBad = rejectDraws.filter((rank) => evidence.e(rank) !== NO).length;
  if (rejectDraws.length > 0) logged(one, 0, ranksTo(accepted), accepted);
  const found = gold ? 0 : one.count(accepted, n, (e) => e === YES);
  const atMost = most({ size, drawn: rejectDraws.length, bad: rejectBad }, frozen.rejectPrior, rejectDelta);
  const missed = Math.max(atMost - found, 0);
  return {
    counts: {
      accept_drawn: acceptDraws.length,
      accept_bad: acceptDraws.filter((rank) => evidence.e(rank) !== YES).length,
      accept_bound: boundOf(accepted),
      accept_delta: acceptDelta,
      reject_drawn: rejectDraws.length,
      reject_bad: rejectBad,
      reject_unanswerable: rejectDraws.filter((rank) => evidence.e(rank) === UNSURE).length,
      reject_delta: rejectDelta,
    },
    accepts: (rank) => rank < accepted,
    single: () => false,
    reported: (delivered) => ({
      recall_at_least: cut4((p * delivered) / Math.max(p * delivered + missed + evidence.U, 1)),
    }),
  };
}

/** The first `count` draws of [0, top) that are below `accepted`. */
function below(one: Case, top: number, accepted: number, count: number): number[] {
  const found: number[] = [];
  if (count === 0) return found;
  for (const rank of order(one.seed, 'accept', top)) {
    if (rank < accepted) found.push(rank);
    if (found.length === count) break;
  }
  return found;
}

function provenSometime(one: Case, acceptDraws: number[], h: number, bound: number, delta: number): boolean {
  let [drawn, bad] = [0, 0];
  for (const rank of acceptDraws) {
    if (rank >= h) continue;
    drawn += 1;
    if (one.evidence.e(rank) !== YES) bad += 1;
    if (accepts({ size: h, drawn, bad }, bound, one.frozen.acceptPrior, delta)) return true;
  }
  return false;
}

function* ranksTo(end: number): Generator<number> {
  for (let rank = 0; rank < end; rank += 1) yield rank;
}
