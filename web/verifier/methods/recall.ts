/** The method `recall`: how many yes are surely in, and that few are left below the cut. */
import { UNSURE, YES } from '../proof/evidence';
import { must } from '../proof/faults';
import { cut4 } from '../proof/numbers';
import { accepts, most } from '../proof/urn';
import { type Case, missable, PROOF, type Proven } from './case';

export function recall(one: Case): Proven {
  const { frozen, accepted, rejected, n, evidence, slips } = one;
  const { rank: h, acceptDelta, rejectDelta } = one.top;
  must(
    frozen.ladder.length === 1 && frozen.rejectFrom === h,
    PROOF,
    'the ladder is not one rung at which the rejected part begins',
  );
  must(accepted === rejected && rejected >= h, PROOF, 'accepted and rejected are not one cut, from the rung on');
  const acceptDraws = one.drawn('accept', h, one.said('accept_drawn', h), (item) => item);
  one.numbered('accept', acceptDraws);
  const acceptBad = acceptDraws.filter((rank) => evidence.e(rank) !== YES).length;
  const detected = most({ size: h, drawn: acceptDraws.length, bad: acceptBad }, frozen.acceptPrior, acceptDelta);
  const falseAtMost = Math.min(slips.undetected(detected, slips.no), h);
  const sureYes = Math.max(evidence.Y - slips.slipped(frozen.adjudicated, slips.no), 0) + h - falseAtMost;

  const rejectBound = slips.missedBound(missable(frozen.r, sureYes) - evidence.U, frozen.adjudicated);
  const rejectDraws = one.drawn('reject', n - h, one.said('reject_drawn', n - h), (item) => h + item);
  one.numbered('reject', rejectDraws);
  const rejectBad = rejectDraws.filter((rank) => {
    const e = evidence.e(rank);
    return e === UNSURE || (e === YES && rank >= rejected);
  }).length;
  const urn = { size: n - h, drawn: rejectDraws.length, bad: rejectBad };
  const complete = accepts(urn, rejectBound, frozen.rejectPrior, rejectDelta);
  must(complete, PROOF, 'the draws from the rejected part do not prove the recall');
  one.spends(acceptDelta + rejectDelta);
  return {
    counts: {
      rung: h,
      sure_yes: sureYes,
      accept_drawn: acceptDraws.length,
      accept_bad: acceptBad,
      accept_delta: acceptDelta,
      reject_drawn: rejectDraws.length,
      reject_bad: rejectBad,
      reject_bound: rejectBound,
      reject_delta: rejectDelta,
    },
    accepts: (rank) => rank < accepted,
    single: () => false,
    reported: (delivered) => ({ precision_at_least: cut4(Math.min(Math.max(sureYes, 0) / Math.max(delivered, 1), 1)) }),
  };
}
