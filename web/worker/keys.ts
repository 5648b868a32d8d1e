/** Which key means what. Letters can be switched off (WCAG 2.1.4); arrows, space and backspace always work. */

import type { Preferences } from './events';

export type Intent = 'yes' | 'no' | 'unsure' | 'back' | 'forward' | 'help' | 'pause' | 'closer';

const ALWAYS = new Map<string, Intent>([
  [' ', 'unsure'],
  ['Backspace', 'back'],
  ['ArrowUp', 'back'],
  ['ArrowDown', 'forward'],
  ['Escape', 'pause'],
]);

const LETTERS = new Map<string, Intent>([
  ['y', 'yes'],
  ['n', 'no'],
  ['u', 'back'],
  ['?', 'help'],
  ['z', 'closer'],
]);

/** The outer hand: right side and left side, which follow `swapped`. */
const RIGHT = { always: 'ArrowRight', letter: 'j' };
const LEFT = { always: 'ArrowLeft', letter: 'f' };

export interface Pressed {
  key: string;
  repeat: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export function intent(pressed: Pressed, preferences: Preferences): Intent | null {
  // a held key answers once; combinations belong to the browser
  if (pressed.repeat || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  const { key } = pressed;
  if (key === RIGHT.always) return right(preferences);
  if (key === LEFT.always) return left(preferences);
  const always = ALWAYS.get(key);
  if (always || !preferences.letters) return always ?? null;
  const letter = key.toLowerCase();
  if (letter === RIGHT.letter) return right(preferences);
  if (letter === LEFT.letter) return left(preferences);
  return LETTERS.get(letter) ?? null;
}

/** The answer of the right side: of the right arrow, of a swipe to the right. */
export function right(preferences: Preferences): 'yes' | 'no' {
  return preferences.swapped ? 'no' : 'yes';
}

export function left(preferences: Preferences): 'yes' | 'no' {
  return preferences.swapped ? 'yes' : 'no';
}

/** The keys of an intent as a person reads them, in the order they are taught. */
export function taught(wanted: Intent, preferences: Preferences): string[] {
  const sides: string[] = [];
  if (wanted === right(preferences)) sides.push('→', 'J');
  if (wanted === left(preferences)) sides.push('←', 'F');
  const plain: Record<Intent, string[]> = {
    yes: [...sides, 'Y'],
    no: [...sides, 'N'],
    unsure: ['Space'],
    back: ['↑', 'Backspace', 'U'],
    forward: ['↓'],
    help: ['?'],
    pause: ['Esc'],
    closer: ['Z'],
  };
  return plain[wanted].filter((key) => preferences.letters || !/^[A-Z?]$/.test(key));
}
