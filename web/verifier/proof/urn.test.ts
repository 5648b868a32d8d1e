import { expect, test } from 'vitest';
import { draws, order, Words } from './digest';
import { accepts, lnRatio, most, type Prior } from './urn';

const FLAT: Prior = [[1, 1, 1]];
const MIXED: Prior = [
  [0.95, 1, 20],
  [0.05, 0.5, 0.5],
];

const factors = (from: number, count: number): number =>
  Array.from({ length: count }, (_, i) => from + i).reduce((product, one) => product * one, 1);

/** M(s), multiplied out as the format writes it. */
function ratio(size: number, drawn: number, bad: number, s: number, prior: Prior): number {
  const good = drawn - bad;
  const before = prior.reduce(
    (sum, [weight, a, b]) => sum + (weight * factors(a, bad) * factors(b, good)) / factors(a + b, drawn),
    0,
  );
  const likely = (factors(s - bad + 1, bad) * factors(size - s - good + 1, good)) / factors(size - drawn + 1, drawn);
  return before / likely;
}

test('the ratio of prior and posterior is the product that the format writes', () => {
  for (const prior of [FLAT, MIXED]) {
    for (const [size, drawn, bad, s] of [
      [40, 10, 0, 5],
      [40, 10, 3, 20],
      [500, 30, 1, 60],
      [9000, 25, 2, 2500],
    ] as const) {
      const found = lnRatio({ size, drawn, bad }, s, prior);
      expect(Math.abs(found - Math.log(ratio(size, drawn, bad, s, prior)))).toBeLessThan(1e-11);
    }
  }
  expect(lnRatio({ size: 10, drawn: 8, bad: 0 }, 3, FLAT)).toBe(Number.POSITIVE_INFINITY);
});

test('a bound is refused below what was seen, at no delta, and accepted by count', () => {
  const urn = { size: 100, drawn: 30, bad: 3 };
  expect(accepts(urn, 100, FLAT, 0)).toBe(true);
  expect(accepts(urn, 99.9999999999, FLAT, 0)).toBe(true);
  expect(accepts(urn, 60, FLAT, 0)).toBe(false);
  expect(accepts(urn, 2, FLAT, 0.4)).toBe(false);
  expect(accepts(urn, 10, FLAT, 0.4)).toBe(false);
  expect(accepts(urn, -1, FLAT, 0.4)).toBe(false);
  expect(accepts({ size: 0, drawn: 0, bad: 0 }, 0, FLAT, 0)).toBe(true);
});

test('the upper bound is the first that is accepted, found by trying all', () => {
  for (const prior of [FLAT, MIXED]) {
    for (const [size, drawn, bad] of [
      [60, 20, 1],
      [300, 80, 0],
      [300, 12, 2],
      [50, 0, 0],
      [50, 50, 4],
    ] as const) {
      const urn = { size, drawn, bad };
      let bound = bad;
      while (!accepts(urn, bound, prior, 0.05, 1e-5)) bound += 1;
      expect(most(urn, prior, 0.05)).toBe(bound);
    }
  }
});

test('an upper bound is wrong as rarely as it says', () => {
  const [size, badOnes, rounds] = [120, 12, 600];
  let wrong = 0;
  for (let round = 0; round < rounds; round += 1) {
    const seed = new Uint8Array(32).fill(round % 251).fill(Math.floor(round / 251), 0, 5);
    let [drawn, bad, missed] = [0, 0, false];
    for (const item of draws(seed, 'accept', size, 40)) {
      drawn += 1;
      if (item < badOnes) bad += 1;
      // at every draw: the bound must hold at all of them at once
      if (!missed && accepts({ size, drawn, bad }, badOnes - 1, FLAT, 0.4)) missed = true;
    }
    if (missed) wrong += 1;
  }
  expect(wrong / rounds).toBeLessThan(0.4);
  expect(wrong).toBeGreaterThan(0);
});

test('an order has each item once, whatever part of it is read, and each first item is as likely', () => {
  const seed = new Uint8Array(32).fill(7);
  const whole = [...order(seed, 'reject', 500)];
  expect(new Set(whole)).toEqual(new Set(Array.from({ length: 500 }, (_, i) => i)));
  expect(draws(seed, 'reject', 500, 20)).toEqual(whole.slice(0, 20));
  expect(draws(seed, 'accept', 500, 20)).not.toEqual(whole.slice(0, 20));
  expect(draws(seed, 'accept', 1, 1)).toEqual([0]);
  expect(draws(seed, 'accept', 0, 0)).toEqual([]);
});

test('the words of a stream are those of another HMAC', async () => {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey('raw', seed, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const words = new Words(seed, 'check rejected|3');
  for (const counter of [0, 1]) {
    const block = new DataView(
      await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`check rejected|3|${counter}`)),
    );
    for (let at = 0; at < 32; at += 8) expect(words.next()).toBe(block.getBigUint64(at));
  }
  // the same shuffle, written once more with a list, from the words alone
  const again = new Words(seed, 'accept');
  const list = Array.from({ length: 30 }, (_, i) => i);
  for (let i = 0; i < 30; i += 1) {
    const size = BigInt(30 - i);
    let word = again.next();
    while (word >= 2n ** 64n - (2n ** 64n % size)) word = again.next();
    const j = i + Number(word % size);
    [list[i], list[j]] = [list[j] ?? -1, list[i] ?? -1];
  }
  expect(draws(seed, 'accept', 30, 30)).toEqual(list);
});
