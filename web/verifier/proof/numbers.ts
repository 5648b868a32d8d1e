/**
 * The arithmetic. Numbers are 64-bit floats, as the format says; what could lose digits in them is computed in a form that does not:
 *
 * - ratios of gamma functions by `lnRising`, which subtracts Stirling's series term by term instead of two large logarithms
 *   (relative error about 1e-15, also for pools of 10^9);
 * - binomial probabilities by Loader's saddle point form (C. Loader, Fast and accurate computation of binomial probabilities, 2000),
 *   and their sums by the continued fraction of the incomplete beta function (relative error about 1e-13).
 *
 * Whole numbers of the draws are exact (BigInt). A comparison with a target allows what the format allows, and nothing more.
 */

const CLOSE = 1e-6;

/** Whether a recomputed float and one of a file are the same up to a relative and absolute error of 1e-6. */
export const close = (one: number, other: number): boolean =>
  one === other || Math.abs(one - other) <= CLOSE + CLOSE * Math.max(Math.abs(one), Math.abs(other));

/** The largest whole number that does not exceed x + 1e-9. */
export const floorStar = (x: number): number => Math.floor(x + 1e-9);

/** Rounded down to four digits, as written: without a tolerance. */
export const cut4 = (x: number): number => Math.floor(10000 * x) / 10000;

/** A rate rounded up to four digits. */
export const ceil4 = (rate: number): number => Math.ceil(10000 * rate - 0.000001) / 10000;

/** The part of ln Gamma(x) that Stirling's formula lacks, for x >= 15. */
function stirlingRest(x: number): number {
  const y = 1 / (x * x);
  return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - (y * 691) / 360360))))) / x;
}

/** ln of x (x+1) ... (x+k-1), for x > 0 and a whole k >= 0. */
export function lnRising(x: number, k: number): number {
  let total = 0;
  let left = k;
  let from = x;
  while (left > 0 && (from < 15 || left <= 8)) {
    total += Math.log(from);
    from += 1;
    left -= 1;
  }
  if (left === 0) return total;
  // ln Gamma(from + left) - ln Gamma(from)
  const to = from + left;
  return (
    total + (from - 0.5) * Math.log1p(left / from) + left * (Math.log(to) - 1) + stirlingRest(to) - stirlingRest(from)
  );
}

/** ln of x (x-1) ... (x-k+1), for whole numbers x >= k >= 0. */
export const lnFalling = (x: number, k: number): number => lnRising(x - k + 1, k);

/** ln n! - (Stirling's (n + 1/2) ln n - n + ln sqrt(2 pi)). */
function factorialRest(n: number): number {
  if (n >= 15) return stirlingRest(n);
  return lnRising(1, n) - (n > 0 ? (n + 0.5) * Math.log(n) - n : 0) - 0.5 * Math.log(2 * Math.PI);
}

/** x ln(x / np) + np - x, without cancellation where x is near np. */
function deviance(x: number, np: number): number {
  const apart = x - np;
  if (Math.abs(apart) >= 0.1 * (x + np)) return x * Math.log(x / np) - apart;
  const v = apart / (x + np);
  let sum = apart * v;
  let term = 2 * x * v;
  for (let j = 1; j < 1000; j += 1) {
    term *= v * v;
    const more = sum + term / (2 * j + 1);
    if (more === sum) break;
    sum = more;
  }
  return sum;
}

/** P(Binomial(n, p) = x) with q = 1 - p. */
export function binomial(x: number, n: number, p: number, q: number): number {
  if (x < 0 || x > n) return 0;
  if (p === 0) return x === 0 ? 1 : 0;
  if (q === 0) return x === n ? 1 : 0;
  if (x === 0) return Math.exp(n * ln1(q, p));
  if (x === n) return Math.exp(n * ln1(p, q));
  const rest = factorialRest(n) - factorialRest(x) - factorialRest(n - x);
  const away = deviance(x, n * p) + deviance(n - x, n * q);
  return Math.exp(rest - away) * Math.sqrt(n / (2 * Math.PI * x * (n - x)));
}

/** ln of one of two parts of 1, by whichever says it more exactly. */
const ln1 = (part: number, other: number): number => (other < 0.5 ? Math.log1p(-other) : Math.log(part));

/** The regularised incomplete beta function I_x(a, b) for whole a, b >= 1, with y = 1 - x. */
export function beta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  return x < a / (a + b) ? betaFraction(x, y, a, b) : 1 - betaFraction(y, x, b, a);
}

/** The continued fraction (DLMF 8.17.22), which converges fast for x < a / (a + b); by Lentz's method. */
function betaFraction(x: number, y: number, a: number, b: number): number {
  const front = binomial(a, a + b - 1, x, y) * y; // x^a y^b / (a B(a, b))
  const tiny = 1e-300;
  const nonzero = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
  let c = 1;
  let fraction = d;
  for (let m = 1; m < 10_000_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * fraction;
}

/** P(Binomial(m, q) <= x). */
export function atMost(x: number, m: number, q: number): number {
  if (x < 0) return 0;
  return x >= m ? 1 : beta(1 - q, q, m - x, x + 1);
}

/** P(Binomial(m, q) > x). */
export function moreThan(x: number, m: number, q: number): number {
  if (x < 0) return 1;
  return x >= m ? 0 : beta(q, 1 - q, x + 1, m - x);
}

/** The smallest whole number from `low` to `high` for which `holds`; `high` if none below does. `holds` must stay true once it is. */
export function firstThat(low: number, high: number, holds: (x: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return to;
}

/** The smallest x with P(Binomial(m, q) <= x) >= c; 0 if q or m is not above 0. */
export function quantile(c: number, m: number, q: number): number {
  if (q <= 0 || m <= 0) return 0;
  if (q >= 1) return c > 0 ? m : 0;
  return firstThat(0, m, (x) => atMost(x, m, q) >= c);
}

/** quantile(1 - part, m, q), by the upper tail, which keeps the digits of a small part. */
export function quantileBut(part: number, m: number, q: number): number {
  if (q <= 0 || m <= 0) return 0;
  if (q >= 1) return part < 1 ? m : 0;
  return firstThat(0, m, (x) => moreThan(x, m, q) <= part);
}

/** The upper limit of Clopper and Pearson at `part`, of `missed` among `shown`. */
export function upperRate(missed: number, shown: number, part: number): number {
  if (missed >= shown) return 1;
  let [low, high] = [0, 1];
  for (let turn = 0; turn < 1100; turn += 1) {
    const x = (low + high) / 2;
    if (x <= low || x >= high) break;
    // I_x(missed + 1, shown - missed) = 1 - part
    if (beta(1 - x, x, shown - missed, missed + 1) > part) low = x;
    else high = x;
  }
  return (low + high) / 2;
}

/** A number with at most ten significant digits, as `%.10g` of C writes it. */
export function tenDigits(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '0', power = '0'] = Math.abs(value).toExponential(9).split('e');
  const exponent = Number(power);
  const sign = value < 0 ? '-' : '';
  const all = digits.replace('.', '');
  const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent >= 10) {
    return `${sign}${trimmed(digits)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `${sign}${trimmed(`0.${'0'.repeat(-exponent - 1)}${all}`)}`;
  return `${sign}${trimmed(`${all.slice(0, exponent + 1)}.${all.slice(exponent + 1)}`)}`;
}

/** A count with a comma between thousands. */
export const counted = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
