/** The method `certified`: an accepted part, a middle that is labelled whole, a rejected part. */
import { UNSURE, YES } from '../proof/evidence';
import { must, Wrong } from '../proof/faults';
import { floorStar } from '../proof/numbers';
import { accepts } from '../proof/urn';
import { type Case, largest, missable, PROOF, type Proven, sum } from './case';

/** With gold: how many refuted draws are allowed for, and the share of delta that this costs. */
const REFUTED = [
  { y: 4, share: 0.9 },
  { y: 32, share: 0.08 },
  { y: 256, share: 0.02 },
];

export function certified(one: Case): Proven {
  const { frozen, accepted, rejected, n, evidence, slips } = one;
  const { p, r, rejectFrom, ladder, gold } = frozen;
  const at = one.rung();
  const { acceptDelta, rejectDelta } = ladder[at] ?? one.top;
  must(accepted <= rejected && rejectFrom <= rejected, PROOF, 'the rejected part begins before the accepted part ends');
  one.complete(accepted, rejected, 'the middle');
  const middleYes = one.count(accepted, rejected, (e) => e === YES);
  const base = evidence.Y + accepted + middleYes;
  const lostOpen = evidence.U + one.count(accepted, rejectFrom, (e) => e === UNSURE);

  const top = one.top.rank;
  const acceptDraws = one.drawn('accept', top, one.said('accept_drawn', top), (item) => item);
  one.numbered('accept', acceptDraws);
  const acceptBad = acceptDraws.filter((rank) => rank < accepted && evidence.e(rank) !== YES).length;
  const rejectSize = n - rejectFrom;
  const rejectDraws = one.drawn(
    'reject',
    rejectSize,
    one.said('reject_drawn', rejectSize),
    (item) => rejectFrom + item,
  );
  one.numbered('reject', rejectDraws);
  const rejectBad = rejectDraws.filter((rank) => {
    const e = evidence.e(rank);
    return e === UNSURE || (e === YES && rank >= rejected);
  }).length;

  let acceptBound = (1 - p) * base;
  let rejectBound = missable(r, p * base) - lostOpen;
  let rejectShare = 1;
  const more: Record<string, number> = {};
  if (gold) {
    const part = slips.with(slips.part / ladder.length);
    const m = frozen.adjudicated + rejected - accepted;
    acceptBound = part.detectable(acceptBound - part.wrong(m), slips.no);
    const allowed = REFUTED.find(({ y }) => acceptBad <= y);
    if (allowed === undefined)
      throw new Wrong(PROOF, 'the accept audit refuted more than any allowance for slips covers');
    must(
      one.count(0, accepted, (e) => e !== YES) <= allowed.y,
      PROOF,
      'more accepted images are refuted than is allowed for',
    );
    rejectBound = slips.missedBeyond(rejectBound - allowed.y / r, base - Math.min(accepted, rejectFrom), r);
    rejectShare = allowed.share;
    more.yes_missed_rate = slips.yes;
    more.no_missed_rate = slips.no;
    more.refuted_at_most = allowed.y;
    more.reject_share = allowed.share;
  }
  const acceptUrn = { size: top, drawn: acceptDraws.length, bad: acceptBad };
  const precise =
    accepts(acceptUrn, acceptBound, frozen.acceptPrior, acceptDelta) || accepted <= floorStar(acceptBound);
  must(precise, PROOF, 'the draws from the accepted part do not prove the precision');
  const rejectUrn = { size: rejectSize, drawn: rejectDraws.length, bad: rejectBad };
  const unknown = n - rejected - one.count(rejected, n);
  const counted = unknown + one.count(rejected, n, (e) => e === YES) + one.count(rejectFrom, n, (e) => e === UNSURE);
  const complete =
    accepts(rejectUrn, rejectBound, frozen.rejectPrior, rejectShare * rejectDelta) || counted <= floorStar(rejectBound);
  must(complete, PROOF, 'the draws from the rejected part do not prove the recall');
  one.spends(gold ? spentWithGold(one) : spent(one));
  return {
    counts: {
      base,
      middle: rejected - accepted,
      middle_yes: middleYes,
      accept_drawn: acceptDraws.length,
      accept_bad: acceptBad,
      accept_bound: acceptBound,
      accept_delta: acceptDelta,
      reject_drawn: rejectDraws.length,
      reject_bad: rejectBad,
      reject_bound: rejectBound,
      reject_delta: rejectDelta,
      ...more,
    },
    accepts: (rank) => rank < accepted,
    single: (rank) => rank >= accepted && rank < rejected,
  };
}

function spent({ frozen: { ladder, rejectFrom } }: Case): number {
  const live = ladder.filter(({ rank }) => rank >= rejectFrom);
  const dead = ladder.filter(({ rank }) => rank < rejectFrom);
  const either = live.map((_, at) => {
    const above = sum(live.slice(0, at).map(({ acceptDelta }) => acceptDelta));
    return above + largest(live.slice(at).map(({ rejectDelta }) => rejectDelta));
  });
  const all = sum(live.map(({ acceptDelta }) => acceptDelta));
  return largest([...either, all]) + sum(dead.map(({ acceptDelta, rejectDelta }) => acceptDelta + rejectDelta));
}

function spentWithGold({ frozen: { ladder, rejectFrom } }: Case): number {
  const live = ladder.filter(({ rank }) => rank >= rejectFrom);
  const dead = ladder.filter(({ rank }) => rank < rejectFrom);
  return (
    sum(ladder.map(({ acceptDelta }) => acceptDelta)) +
    largest(live.map(({ rejectDelta }) => rejectDelta)) +
    sum(dead.map(({ rejectDelta }) => rejectDelta))
  );
}
