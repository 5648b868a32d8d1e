import { describe, expect, test } from 'vitest';
import { intent, type Pressed, taught } from './keys';

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key,
  repeat: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});
const usual = { swapped: false, letters: true };

describe('keys', () => {
  test.each([
    ['ArrowRight', 'yes'],
    ['j', 'yes'],
    ['Y', 'yes'],
    ['ArrowLeft', 'no'],
    ['f', 'no'],
    ['n', 'no'],
    [' ', 'unsure'],
    ['Backspace', 'back'],
    ['u', 'back'],
    ['ArrowUp', 'back'],
    ['ArrowDown', 'forward'],
    ['Escape', 'pause'],
    ['?', 'help'],
    ['z', 'closer'],
    ['x', null],
    ['constructor', null],
  ])('%s means %s', (key, wanted) => expect(intent(press(key), usual)).toBe(wanted));

  test('a held key answers once', () => expect(intent(press('j', { repeat: true }), usual)).toBeNull());

  test('combinations belong to the browser', () => expect(intent(press('f', { ctrlKey: true }), usual)).toBeNull());

  test('swapped sides swap arrows and the outer hands, not the words', () => {
    const swapped = { swapped: true, letters: true };
    expect(['ArrowLeft', 'f', 'ArrowRight', 'j', 'y', 'n'].map((key) => intent(press(key), swapped))).toEqual([
      'yes',
      'yes',
      'no',
      'no',
      'yes',
      'no',
    ]);
  });

  test('letters can be switched off, the rest stays (WCAG 2.1.4)', () => {
    const silent = { swapped: false, letters: false };
    expect(['j', 'y', 'f', 'n', 'u', '?', 'z'].map((key) => intent(press(key), silent))).toEqual(Array(7).fill(null));
    expect(intent(press('ArrowRight'), silent)).toBe('yes');
    expect(taught('yes', silent)).toEqual(['→']);
    expect(taught('back', silent)).toEqual(['↑', 'Backspace']);
  });
});
