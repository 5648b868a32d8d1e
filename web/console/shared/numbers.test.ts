import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ago, count, duration, percent, wilson } from './numbers';

describe('numbers', () => {
  test('are grouped and carry their unit', () => {
    expect([count(1, 'picture'), count(1204, 'picture'), percent(0.961), duration(1.84), duration(200)]).toEqual([
      '1 picture',
      '1,204 pictures',
      '96.1 %',
      '1.8 s',
      '3 min 20 s',
    ]);
  });

  test('a moment is told from now', () => {
    const now = 1_000_000_000;
    expect([ago(now - 5_000, now), ago(now - 300_000, now), ago(now - 90_000_000, now)]).toEqual([
      'just now',
      '5 minutes ago',
      'yesterday',
    ]);
  });
});

describe('the interval of a share', () => {
  test('is that of the textbook', () => {
    // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662
    const found = wilson(81, 263);
    expect([found?.lower.toFixed(4), found?.upper.toFixed(4)]).toEqual(['0.2553', '0.3662']);
  });

  test('holds the share, stays within 0 and 1, and there is none of nothing', () => {
    expect(wilson(0, 0)).toBeNull();
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (right, wrong) => {
        const found = wilson(right, right + wrong);
        if (!found) return;
        expect(found.lower).toBeGreaterThanOrEqual(0);
        expect(found.upper).toBeLessThanOrEqual(1);
        expect(found.lower).toBeLessThanOrEqual(found.share + 1e-12);
        expect(found.upper).toBeGreaterThanOrEqual(found.share - 1e-12);
      }),
    );
  });
});
