/** An accepted set, as the log commits to it before its first draw. */
import { Hash } from '../proof/digest';
import { must } from '../proof/faults';
import { LOG } from '../proof/log';
import type { Case } from './case';

/** The log has a line of this attempt with the size and the digest of these ranks. */
export function logged(one: Case, attempt: number, ranks: Iterable<number>, cut: number | null = null): void {
  const line = one.log.accepted.get(attempt);
  must(line !== undefined, LOG, `it has no accepted set of attempt ${attempt}`);
  const hash = new Hash();
  const view = new DataView(new ArrayBuffer(8));
  let size = 0;
  for (const rank of ranks) {
    view.setBigUint64(0, BigInt(rank));
    hash.add(new Uint8Array(view.buffer));
    size += 1;
  }
  must(line.size === size && line.sha256 === hash.hex(), LOG, `its accepted set of attempt ${attempt} is another one`);
  must(cut === null || line.cut === cut, LOG, `its accepted set of attempt ${attempt} has another cut`);
}
