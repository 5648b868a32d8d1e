import type { Flows } from '../flows';
import type { Memory } from '../keep';
import type { Store } from '../store';

/** What every view is handed. */
export interface Handed {
  store: Store;
  flows: Flows;
  memory: Memory;
}
