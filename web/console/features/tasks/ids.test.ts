import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idsIn, MOST_IMAGES } from './ids';

describe('a list of images', () => {
  test.each([
    ['one a line', 'a.jpg\nb.jpg\n\na.jpg\n', ['a.jpg', 'b.jpg']],
    ['a CSV with a named column', 'n,File\n1,a.jpg\n2,"b, c.jpg"\n', ['a.jpg', 'b, c.jpg']],
    ['a single column with its name', 'url\nhttps://example.org/a.jpg', ['https://example.org/a.jpg']],
    ['lines that end as on Windows', 'a.jpg\r\nb.jpg\r\n', ['a.jpg', 'b.jpg']],
  ])('may be %s', (_, text, images) => expect(idsIn(text)).toEqual({ images, problem: '' }));

  test('a CSV without such a column is told with its line', () => {
    expect(idsIn('name,size\na,1').problem).toBe(
      'Line 1: a CSV needs a column image, file or url; the columns are name, size.',
    );
  });

  test('an empty list and one that is too long are told', () => {
    expect(idsIn(' \n').problem).toMatch(/no image/);
    const long = Array.from({ length: MOST_IMAGES + 1 }, (_, index) => `${index}.jpg`).join('\n');
    expect(idsIn(long).problem).toMatch(/at most 100,000 images; this one names 100,001/);
  });

  test('plain names come back whole, each once, in their order', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9_-]{1,20}\.jpg$/), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(names, (given) => {
        expect(idsIn(given.join('\n')).images).toEqual(given);
      }),
    );
  });
});
