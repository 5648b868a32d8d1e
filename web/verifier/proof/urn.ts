/** The test of an urn that was drawn from without replacement: the prior-posterior ratio of Waudby-Smith and Ramdas (2020). */
import { firstThat, floorStar, lnFalling, lnRising } from './numbers';

/** A mixture of beta distributions: weight, a, b each. */
export type Prior = readonly (readonly [number, number, number])[];

export interface Urn {
  size: number;
  drawn: number;
  bad: number;
}

const ROUNDING = 1e-5;

/** Whether "at most `bound` of the items are bad" is accepted at `delta`. `margin` is kept where the result is a figure. */
export function accepts(urn: Urn, bound: number, prior: Prior, delta: number, margin = 0): boolean {
  const { size, drawn, bad } = urn;
  if (floorStar(bound) >= size) return true;
  if (delta <= 0 || bound < -1e-9) return false;
  const s = floorStar(bound) + 1;
  if (!(s > bad && s * drawn > bad * size)) return false;
  return lnRatio(urn, s, prior) >= margin + Math.log(1 / delta);
}

/** ln M(s): how much less likely the draws are with `s` bad items in the urn than by the prior. */
export function lnRatio({ size, drawn, bad }: Urn, s: number, prior: Prior): number {
  const good = drawn - bad;
  if (size - s < good) return Number.POSITIVE_INFINITY;
  const under = lnFalling(s, bad) + lnFalling(size - s, good) - lnFalling(size, drawn);
  const parts = prior
    .filter(([weight]) => weight > 0)
    .map(([weight, a, b]) => Math.log(weight) + lnRising(a, bad) + lnRising(b, good) - lnRising(a + b, drawn));
  const largest = Math.max(...parts);
  const sum = parts.reduce((total, part) => total + Math.exp(part - largest), 0);
  return largest + Math.log(sum) - under;
}

/** The smallest whole bound from `bad` on that is accepted: the upper confidence bound. */
export function most(urn: Urn, prior: Prior, delta: number): number {
  // once more may be bad than is accepted, all more are: the likelihood of the draws falls from the share that was seen on
  return firstThat(urn.bad, urn.size, (bound) => accepts(urn, bound, prior, delta, ROUNDING));
}
