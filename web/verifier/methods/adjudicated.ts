/** The method `adjudicated`: people's words sort the middle, and two audits check them. */
import { NO, UNSURE, YES } from '../proof/evidence';
import { must } from '../proof/faults';
import { accepts } from '../proof/urn';
import { logged } from './accepted-set';
import { type Case, largest, missable, PROOF, type Proven, sum } from './case';

/** The share of each attempt in what is allowed for slips. */
const SHARES = [0.7, 0.2, 0.06, 0.03, 0.01];

export function adjudicated(one: Case): Proven {
  const { frozen, accepted, rejected, n, evidence } = one;
  const { p, r, ladder, gold } = frozen;
  const attempt = one.said('attempt', ladder.length - 1);
  const { rank: atRank, acceptDelta, rejectDelta } = ladder[attempt] ?? one.top;
  const top = one.top.rank;
  must(accepted === atRank, PROOF, 'accepted is not the rung of the attempt');
  must(
    frozen.rejectFrom === top && top <= rejected,
    PROOF,
    'the rejected part does not begin at the highest rung, or ends before it',
  );
  const single = (rank: number): boolean => {
    const word = evidence.word(rank);
    return rank >= accepted && rank < rejected && (rank < top || word === undefined || word === UNSURE);
  };
  const said = (rank: number): boolean => rank >= top && rank < rejected && evidence.word(rank) === YES;
  const set: number[] = [];
  let [singles, singleYes, wordYes, absentYes] = [0, 0, 0, 0];
  for (let rank = 0; rank < accepted; rank += 1) set.push(rank);
  for (let rank = accepted; rank < rejected; rank += 1) {
    if (single(rank)) {
      const yes = one.evidenceOf(rank) === YES;
      singles += 1;
      if (yes) singleYes += 1;
      if (yes && rank >= top && evidence.word(rank) === undefined) absentYes += 1;
    } else if (said(rank)) {
      wordYes += 1;
      set.push(rank);
    }
  }
  const base = evidence.Y + accepted + wordYes + singleYes;
  const share = SHARES[attempt];
  must(gold === null || share !== undefined, PROOF, 'this attempt has no share of what is allowed for slips');
  const slips = one.slips.with((share ?? 0) * one.slips.part);
  const C = missable(r, p * base) - evidence.U - one.count(accepted, top, (e) => e === UNSURE);
  const m = frozen.adjudicated + singles;
  const acceptBound = gold ? slips.detectableAmong((1 - p) * base - slips.wrong(m) - absentYes) : (1 - p) * base;
  const rejectBound = gold ? slips.missedBeyond(C, p * base, r) : C;

  const acceptDraws = one.drawn(
    `accept|${attempt}`,
    set.length,
    one.said('accept_drawn', set.length),
    (item) => set[item] ?? 0,
  );
  one.numbered('accept', acceptDraws);
  const acceptBad = acceptDraws.filter((rank) => evidence.e(rank) !== YES).length;
  const rejectDraws = one.drawn('reject', n - top, one.said('reject_drawn', n - top), (item) => top + item);
  one.numbered('reject', rejectDraws);
  const rejectBad = rejectDraws.filter((rank) => {
    const word = evidence.word(rank);
    const missed = rank >= rejected || word === NO || word === undefined;
    return evidence.e(rank) === UNSURE || (evidence.e(rank) === YES && missed);
  }).length;

  const acceptUrn = { size: set.length, drawn: acceptDraws.length, bad: acceptBad };
  const precise = accepts(acceptUrn, acceptBound, frozen.acceptPrior, acceptDelta);
  must(precise, PROOF, 'the draws from the accepted set do not prove the precision');
  const rejectUrn = { size: n - top, drawn: rejectDraws.length, bad: rejectBad };
  const complete = accepts(rejectUrn, rejectBound, frozen.rejectPrior, rejectDelta);
  must(complete, PROOF, 'the draws from the rejected part do not prove the recall');
  one.spends(sum(ladder.map((rung) => rung.acceptDelta)) + largest(ladder.map((rung) => rung.rejectDelta)));
  logged(one, attempt, set);
  const inSet = new Set(set);
  return {
    counts: {
      attempt,
      singles,
      accept_size: set.length,
      accept_drawn: acceptDraws.length,
      accept_bad: acceptBad,
      accept_bound: acceptBound,
      accept_delta: acceptDelta,
      reject_drawn: rejectDraws.length,
      reject_bad: rejectBad,
      reject_bound: rejectBound,
      reject_delta: rejectDelta,
      yes_missed_rate: slips.yes,
      no_missed_rate: slips.no,
    },
    accepts: (rank) => inSet.has(rank),
    single,
  };
}
