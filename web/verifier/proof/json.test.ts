import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Unreadable, Wrong } from './faults';
import { byCodePoint, canonical, type Json, parse, shortest } from './json';

const read = (text: string): Json => parse(text, 'a file');

test('floats are written as Python writes them', () => {
  for (const [value, text] of [
    [1, '1.0'],
    [0.1, '0.1'],
    [-0, '-0.0'],
    [1e16, '1e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [9007199254740992, '9007199254740992.0'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [-2.5e-10, '-2.5e-10'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [12.5, '12.5'],
    [0.00012345, '0.00012345'],
  ] as const) {
    expect(shortest(value)).toBe(text);
  }
});

test('canonical JSON has sorted keys, no spaces, nothing beyond ASCII, and tells 1 from 1.0', () => {
  expect(canonical(read(' { "b" : [1, 1.0, -0, true, null], "a": "\\u00e9\u007f\\n\\/\\ud83d\\ude00" } '))).toBe(
    '{"a":"\\u00e9\\u007f\\n/\\ud83d\\ude00","b":[1,1.0,0,true,null]}',
  );
  // by code point: what is beyond the first plane comes last, although its first half is a smaller unit
  expect(['\u{1f600}', '\uffee', 'z', ''].sort(byCodePoint)).toEqual(['', 'z', '\uffee', '\u{1f600}']);
});

test('canonical JSON reads back to itself', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = canonical(read(JSON.stringify(value)));
      expect(canonical(read(once))).toBe(once);
    }),
  );
});

test('what JSON is not cannot be read, and what the format refuses is wrong', () => {
  for (const text of [
    '',
    '{',
    '[1,]',
    '{"a":1,}',
    '01',
    '1.',
    '.5',
    '"\n"',
    "'a'",
    'nul',
    '1 2',
    '{a:1}',
    '"\\x"',
    '\ufeff1',
  ]) {
    expect(() => read(text), text).toThrow(Unreadable);
  }
  for (const text of ['{"a":1,"a":1}', '[NaN]', '-Infinity', '1e999', '{"b":{"c":0,"c":0}}']) {
    expect(() => read(text), text).toThrow(Wrong);
  }
  expect(() => read('['.repeat(100_000))).toThrow(Unreadable);
  expect(read('{"__proto__":1}')).toEqual(new Map([['__proto__', 1n]]));
});
