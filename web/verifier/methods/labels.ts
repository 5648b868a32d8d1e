/** The method `labels`: an audit of labels that somebody else made. The ranks below the one rung are those that they call yes. */
import { NO, YES } from '../proof/evidence';
import { must } from '../proof/faults';
import { accepts } from '../proof/urn';
import { type Case, missable, PROOF, type Proven } from './case';

export function labels(one: Case): Proven {
  const { frozen, accepted, rejected, n, evidence } = one;
  const { p, r } = frozen;
  const { rank: h, acceptDelta, rejectDelta } = one.top;
  const whole = r > 0;
  must(frozen.ladder.length === 1 && frozen.gold === null, PROOF, 'the ladder is not one rung, or there is gold');
  must(frozen.rejectFrom === h && accepted === h, PROOF, 'the accepted are not the ranks that the labels call yes');
  must(rejected === (whole ? h : n), PROOF, 'the rejected part does not begin where it must');
  const base = evidence.Y + h;
  const acceptBound = (1 - p) * base;
  const acceptDraws = one.drawn('accept', h, one.said('accept_drawn', h), (item) => item);
  one.numbered('accept', acceptDraws);
  const acceptBad = acceptDraws.filter((rank) => evidence.e(rank) !== YES).length;
  const acceptUrn = { size: h, drawn: acceptDraws.length, bad: acceptBad };
  const precise = accepts(acceptUrn, acceptBound, frozen.acceptPrior, acceptDelta);
  must(precise, PROOF, 'the draws from those that the labels call yes do not prove the precision');

  const rejectDraws = one.drawn('reject', n - h, one.said('reject_drawn', whole ? n - h : 0), (item) => h + item);
  one.numbered('reject', rejectDraws);
  const rejectBad = rejectDraws.filter((rank) => evidence.e(rank) !== NO).length;
  const rejectBound = whole ? missable(r, p * base) - evidence.U : 0;
  const rejectUrn = { size: n - h, drawn: rejectDraws.length, bad: rejectBad };
  const complete = !whole || accepts(rejectUrn, rejectBound, frozen.rejectPrior, rejectDelta);
  must(complete, PROOF, 'the draws from those that the labels do not call yes do not prove the recall');
  one.spends(Math.max(acceptDelta, rejectDelta));
  return {
    counts: {
      base,
      accept_drawn: acceptDraws.length,
      accept_bad: acceptBad,
      accept_bound: acceptBound,
      accept_delta: acceptDelta,
      reject_drawn: rejectDraws.length,
      reject_bad: rejectBad,
      reject_bound: rejectBound,
      reject_delta: rejectDelta,
    },
    accepts: (rank) => rank < accepted,
    single: () => false,
  };
}
