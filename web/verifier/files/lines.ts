/** The lines of a text file of any length, as bytes, without their ends. */
import { must } from '../proof/faults';
import { MOST_BYTES } from '../proof/json';
import { bytesOf } from './reading';

const WINDOW = 8 * 2 ** 20;

export async function* linesOf(file: Blob, where: string): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for (let from = 0; from < file.size; from += WINDOW) {
    const window = await bytesOf(file.slice(from, from + WINDOW), where);
    const bytes = new Uint8Array(rest.length + window.length);
    bytes.set(rest);
    bytes.set(window, rest.length);
    let start = 0;
    for (let end = bytes.indexOf(10, rest.length); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.slice(start);
    must(rest.length <= MOST_BYTES, where, 'a line is longer than the format allows');
  }
  must(rest.length === 0, where, 'its last line has no end');
}
