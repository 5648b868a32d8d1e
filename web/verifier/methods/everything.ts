/** The method `everything`: people labelled every unit, so that precision and recall hold by count. */
import { UNSURE, YES } from '../proof/evidence';
import { must } from '../proof/faults';
import { knownUnits } from '../proof/pool';
import { type Case, missable, PROOF, type Proven } from './case';

export function everything(one: Case): Proven {
  const { frozen, accepted, rejected, n, evidence, pool } = one;
  const { ladder, gold, r } = frozen;
  const plain = ladder.length === 1 && ladder.every((rung) => !rung.rank && !rung.acceptDelta && !rung.rejectDelta);
  must(plain && gold === null, PROOF, 'the ladder is not one rung of rank 0 without delta, or there is gold');
  must(accepted === 0 && rejected === n, PROOF, 'accepted and rejected are not 0 and the number of ranks');
  one.numbered('accept', []);
  one.numbered('reject', []);
  const single = (rank: number): boolean => {
    const word = evidence.word(rank);
    return word === undefined || word === UNSURE;
  };
  let [singles, yes, unsure, unanswerable] = [0, evidence.Y, 0, 0];
  for (let rank = 0; rank < n; rank += 1) {
    const now = evidence.today.get(rank)?.now ?? null;
    if (single(rank)) {
      singles += 1;
      const e = one.evidenceOf(rank);
      if (e === YES) yes += 1;
      if (e === UNSURE) unsure += 1;
      if (now === UNSURE || now === null) unanswerable += 1;
    } else {
      if (evidence.word(rank) === YES) yes += 1;
      if (now === UNSURE) unanswerable += 1;
    }
  }
  for (const [id] of knownUnits(pool)) {
    const now = evidence.todayOf.get(id)?.now ?? null;
    if (now === UNSURE || now === null) unanswerable += 1;
  }
  const few = evidence.U + unsure <= missable(r, yes) + 1e-9;
  must(few, PROOF, 'too many images have no answer for the recall that is promised');
  return {
    counts: { adjudicated: singles, unanswerable, accept_drawn: 0, accept_delta: 0, reject_drawn: 0 },
    accepts: (rank) => evidence.word(rank) === YES,
    single,
  };
}
