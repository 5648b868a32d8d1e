import { expect, test } from 'vitest';
import type { Frozen } from './frozen';
import { Slips, STEPS } from './slips';

const frozen = (gold: Frozen['gold']): Frozen => ({ delta: 0.1, epoch: 0, checkDelta: 0, gold }) as Frozen;
const GOLD = { yesShown: 300, yesMissed: 0, noShown: 300, noMissed: 2, audited: 0 };

test('without gold there are no slips, and each function leaves what it is given', () => {
  const none = Slips.of(frozen(null));
  expect([none.yes, none.no]).toEqual([0, 0]);
  expect(none.detectable(7.5, 0)).toBe(7.5);
  expect(none.falseBound(7.5, 900)).toBe(7.5);
  expect(none.undetected(7, 0)).toBe(7);
  expect([none.wrong(500), none.detectableAmong(3.5), none.missedBeyond(3.5, 40, 0.9)]).toEqual([0, 3.5, 3.5]);
});

test('the rates are the limits at a sixth of the tenth that is kept for slips', () => {
  const { yes, no, part } = Slips.of(frozen(GOLD));
  expect(part).toBeCloseTo((0.1 * 0.085) / 6, 15);
  expect(yes).toBeCloseTo(1 - part ** (1 / 300), 12);
  // P(Binomial(300, no) <= 2) = part
  const seen = (1 - no) ** 300 + 300 * no * (1 - no) ** 299 + ((300 * 299) / 2) * no ** 2 * (1 - no) ** 298;
  expect(seen / part).toBeCloseTo(1, 9);
  const part1 = Slips.of(frozen({ ...GOLD, noMissed: 300 }));
  expect(part1.no).toBe(1);
});

test('the steps grow by a quarter', () => {
  expect(STEPS.slice(0, 6)).toEqual([10, 12, 15, 18, 22, 27]);
  expect(STEPS.length).toBe(64);
});

test('what is detected of a bound, and what was not, undo each other', () => {
  const slips = Slips.of(frozen(GOLD));
  for (const bound of [3, 10, 55, 400]) {
    const detected = slips.detectable(bound, slips.no);
    expect(detected).toBeLessThanOrEqual(bound);
    expect(slips.detectable(slips.undetected(detected, slips.no), slips.no)).toBeGreaterThanOrEqual(detected);
  }
  expect(slips.detectable(-1.5, slips.no)).toBe(-1);
  expect(slips.wrong(1e12)).toBe(1e12);
  expect(slips.wrong(5)).toBeLessThanOrEqual(5);
  expect(slips.missedBeyond(-0.5, 100, 0.9)).toBe(-1);
  expect(slips.missedBeyond(50, 100, 0.999)).toBe(-1);
});
