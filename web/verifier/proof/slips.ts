/** What gold says of adjudication: how many wrong answers ("slips") the bounds must allow for. */
import { deltaOf, type Frozen } from './frozen';
import { floorStar, quantile, quantileBut, upperRate } from './numbers';

/** The steps s(1), ..., s(64). */
export const STEPS: readonly number[] = (() => {
  const steps = [10];
  while (steps.length < 64) {
    const last = steps[steps.length - 1] ?? 0;
    steps.push(last + Math.floor(last / 4));
  }
  return steps;
})();

export class Slips {
  readonly yes: number;
  readonly no: number;

  private constructor(
    readonly part: number,
    rates: { yes: number; no: number },
  ) {
    this.yes = rates.yes;
    this.no = rates.no;
  }

  /** Those of a freeze; without gold there are none. */
  static of(frozen: Frozen): Slips {
    const { gold } = frozen;
    if (gold === null) return new Slips(0, { yes: 0, no: 0 });
    const part = (0.1 * deltaOf(frozen)) / 6;
    return new Slips(part, {
      yes: upperRate(gold.yesMissed, gold.yesShown, part),
      no: upperRate(gold.noMissed, gold.noShown, part),
    });
  }

  /** The same rates with another part of delta in the functions. */
  with(part: number): Slips {
    return new Slips(part, this);
  }

  detectable(bound: number, rate: number): number {
    if (rate <= 0) return bound;
    const size = floorStar(bound) + 1;
    return size <= 0 ? -1 : quantile(this.part, size, 1 - rate) - 1;
  }

  undetected(found: number, rate: number): number {
    let it = found;
    while (rate > 0 && it < 1e12 && this.detectable(it, rate) < found) it = 1.01 * it + 1;
    return it;
  }

  slipped(m: number, rate: number): number {
    return m === 0 || rate === 0 ? 0 : quantileBut(this.part, m, rate);
  }

  falseBound(bound: number, m: number): number {
    return this.detectable(bound - this.slipped(m, this.no), this.no);
  }

  missedBound(bound: number, m: number): number {
    return this.detectable(bound - this.slipped(m, this.yes), this.yes);
  }

  wrong(m: number): number {
    if (m === 0 || this.no === 0) return 0;
    const step = STEPS.find((one) => one >= m);
    return step === undefined ? m : Math.min(m, quantileBut(this.part / 64, step, this.no));
  }

  detectableAmong(bound: number): number {
    if (this.no === 0) return bound;
    const f = Math.max(floorStar(bound) + 1, 0);
    const seen = STEPS.filter((step) => step <= f).map((step) => step - this.wrong(step));
    return Math.max(f - this.wrong(f), 0, ...seen) - 1;
  }

  missedBeyond(C: number, z: number, r: number): number {
    if (this.yes === 0) return C;
    const M = Math.max(z + C, 0);
    const L = Math.log(2 / this.part);
    const t = Math.sqrt((L * L) / 9 + 2 * this.yes * M * L);
    if (C < 0 || this.yes + (this.yes * L) / t > 1 - r) return -1;
    return C - (this.yes * M + L / 3 + t);
  }
}
