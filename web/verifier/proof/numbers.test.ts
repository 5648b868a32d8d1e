import { expect, test } from 'vitest';
import {
  atMost,
  beta,
  binomial,
  ceil4,
  close,
  counted,
  cut4,
  floorStar,
  lnFalling,
  lnRising,
  moreThan,
  quantile,
  quantileBut,
  tenDigits,
  upperRate,
} from './numbers';

// what is true is computed here another way: whole numbers and fractions of BigInt, without any logarithm

/** A fraction of two BigInts as a float, right to the last digits. */
function float(top: bigint, bottom: bigint): number {
  const digits = bottom.toString(2).length - top.toString(2).length + 80;
  const shift = BigInt(Math.max(digits, 0));
  return Number((top << shift) / bottom) * 2 ** -Number(shift);
}

function falling(x: bigint, k: number): bigint {
  let product = 1n;
  for (let i = 0n; i < BigInt(k); i += 1n) product *= x - i;
  return product;
}

const choose = (n: number, k: number): bigint => falling(BigInt(n), k) / falling(BigInt(k), k);

/** P(Binomial(m, top / bottom) <= x) as a fraction. */
function tail(x: number, m: number, [top, bottom]: [bigint, bigint]): [bigint, bigint] {
  let sum = 0n;
  for (let i = 0; i <= x; i += 1) sum += choose(m, i) * top ** BigInt(i) * (bottom - top) ** BigInt(m - i);
  return [sum, bottom ** BigInt(m)];
}

const same = (found: number, true_: number): void => {
  if (true_ > 1e-290) expect(Math.abs(found / true_ - 1)).toBeLessThan(1e-12);
  else expect(found).toBeLessThan(1e-289);
};

test('a product of many factors has the logarithm of the exact product', () => {
  for (const [x, k] of [
    [1, 20],
    [7, 300],
    [5000, 40],
    [123_456, 900],
    [10 ** 9, 60],
  ] as const) {
    let [product, scale] = [1n, 0];
    for (let i = 0; i < k; i += 1) product *= BigInt(x + i);
    const bits = product.toString(2).length;
    if (bits > 1000) [product, scale] = [product >> BigInt(bits - 1000), bits - 1000];
    same(
      lnRising(x, k),
      Math.log(Number(product >> 500n) || Number(product)) + (product >> 500n ? 500 + scale : 0) * Math.LN2,
    );
    same(lnFalling(x + k - 1, k), lnRising(x, k));
  }
  // x (x+1) ... is Gamma(x+k) / Gamma(x): of halves it is a double factorial
  same(lnRising(0.5, 4), Math.log((1 * 3 * 5 * 7) / 16));
  expect(lnRising(3.7, 0)).toBe(0);
  // a step more is a factor more, also where the numbers are large: what is left are the last digits of a logarithm of 27,000
  const step = lnRising(1e6 + 0.25, 2001) - lnRising(1e6 + 0.25, 2000);
  expect(Math.abs(step - Math.log(1e6 + 2000.25))).toBeLessThan(2e-11);
});

test('binomial probabilities and their sums are the exact fractions', () => {
  for (const [m, top, bottom] of [
    [12, 1n, 3n],
    [60, 1n, 50n],
    [200, 1n, 128n],
    [260, 117n, 128n],
  ] as const) {
    const q = float(top, bottom);
    for (const x of [0, 1, 3, Math.floor(m * q), Math.floor(m * q) + 5, m - 1]) {
      if (x >= m) continue;
      const [sum, all] = tail(x, m, [top, bottom]);
      if (q === 1 / 3 || q === 0.02) {
        expect(Math.abs(atMost(x, m, q) / float(sum, all) - 1)).toBeLessThan(1e-12);
      } else {
        same(atMost(x, m, q), float(sum, all)); // q has no error of its own: it is a fraction of a power of two
        same(moreThan(x, m, q), float(all - sum, all));
        same(binomial(x, m, q, 1 - q), float(choose(m, x) * top ** BigInt(x) * (bottom - top) ** BigInt(m - x), all));
      }
    }
  }
});

test('the incomplete beta function is what a polynomial says, and 0 and 1 at its ends', () => {
  // I_x(1, b) = 1 - (1-x)^b and I_x(a, 1) = x^a; I_x(2, 3) = 6x^2 - 8x^3 + 3x^4
  for (const x of [1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9]) {
    same(beta(x, 1 - x, 1, 7), -Math.expm1(7 * Math.log1p(-x)));
    same(beta(x, 1 - x, 9, 1), x ** 9);
    expect(beta(x, 1 - x, 2, 3)).toBeCloseTo(6 * x ** 2 - 8 * x ** 3 + 3 * x ** 4, 13);
  }
  expect(beta(0, 1, 3, 4)).toBe(0);
  expect(beta(1, 0, 3, 4)).toBe(1);
});

test('a quantile is the first number whose exact probability reaches its level', () => {
  for (const [m, top, bottom] of [
    [30, 1n, 8n],
    [120, 1n, 64n],
    [150, 125n, 128n],
  ] as const) {
    const q = float(top, bottom);
    for (const part of [0.001, 0.004, 0.0625]) {
      const exact = (x: number): number => float(...tail(x, m, [top, bottom]));
      const low = quantile(part, m, q);
      expect(exact(low)).toBeGreaterThanOrEqual(part);
      if (low > 0) expect(exact(low - 1)).toBeLessThan(part);
      const high = quantileBut(part, m, q);
      expect(1 - exact(high)).toBeLessThanOrEqual(part);
      if (high > 0) expect(1 - exact(high - 1)).toBeGreaterThan(part);
    }
  }
  expect([quantile(0.5, 10, 0), quantile(0.5, 0, 0.5), quantile(0.5, 10, 1)]).toEqual([0, 0, 10]);
});

test('the upper limit of a rate is where so few would be seen with just that chance', () => {
  for (const [missed, shown, part] of [
    [0, 300, 0.001],
    [1, 600, 0.0014],
    [7, 40, 0.02],
  ] as const) {
    const rate = upperRate(missed, shown, part);
    let sum = 0;
    for (let i = 0; i <= missed; i += 1) sum += Number(choose(shown, i)) * rate ** i * (1 - rate) ** (shown - i);
    same(sum, part);
  }
  same(upperRate(0, 300, 0.001), 1 - 0.001 ** (1 / 300));
  expect(upperRate(3, 3, 0.01)).toBe(1);
  expect(upperRate(0, 0, 0.01)).toBe(1);
});

test('numbers are rounded and written as the format says', () => {
  expect(floorStar(0.1 * 3 * 10)).toBe(3);
  expect(floorStar(2.999999999)).toBe(3);
  expect(floorStar(2.99999)).toBe(2);
  expect(floorStar(-1)).toBe(-1);
  expect(cut4(0.95)).toBe(0.95);
  expect(cut4(0.95 - 2 ** -53)).toBe(0.9499);
  expect(ceil4(0.02162752)).toBe(0.0217);
  expect(ceil4(0.0217)).toBe(0.0217);
  expect([0.95, 0.1234567891234, 1, 1e-5, 123456789012, 0.0001, 100].map(tenDigits)).toEqual([
    '0.95',
    '0.1234567891',
    '1',
    '1e-05',
    '1.23456789e+11',
    '0.0001',
    '100',
  ]);
  expect([7, 1246, 1_234_567].map(counted)).toEqual(['7', '1,246', '1,234,567']);
  expect(close(1e9, 1e9 + 100)).toBe(true);
  expect(close(0.5, 0.50001)).toBe(false);
});
