/** A list of images as people have it: one a line, or a CSV with a column `image`, `file` or `url`. */

import Papa from 'papaparse';
import { whole } from '../../shared/numbers';

export const MOST_IMAGES = 100_000;
const COLUMNS = ['image', 'file', 'url'];

export interface Ids {
  images: string[];
  /** Why the list cannot be used; empty when it can. */
  problem: string;
}

export function idsIn(text: string): Ids {
  const { data } = Papa.parse<string[]>(text.trim(), { skipEmptyLines: 'greedy' });
  const first = (data[0] ?? []).map((cell) => cell.trim().toLowerCase());
  const named = first.findIndex((cell) => COLUMNS.includes(cell));
  if (named < 0 && first.length > 1) {
    return {
      images: [],
      problem: `Line 1: a CSV needs a column image, file or url; the columns are ${first.join(', ')}.`,
    };
  }
  const column = Math.max(named, 0);
  const cells = data.slice(named < 0 ? 0 : 1).map((line) => (line[column] ?? '').trim());
  const images = [...new Set(cells.filter((cell) => cell !== ''))];
  if (images.length === 0) return { images, problem: 'This list names no image.' };
  if (images.length > MOST_IMAGES) {
    return {
      images: [],
      problem: `A list may name at most ${whole(MOST_IMAGES)} images; this one names ${whole(images.length)}.`,
    };
  }
  return { images, problem: '' };
}
