/**
 * What of React this page uses, out of Preact's core: the sources import `react`, the build aliases it to this file.
 * Preact's own `compat` would do the same and weigh 2 KB more, a tenth of what the page may.
 */

import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

export { useEffect, useRef, useState } from 'preact/hooks';

/** React's contract: renders again whenever what `read` answers is another thing than it was. */
export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, read: () => T): T {
  const value = read();
  const [held] = useState({ value, read });
  const [, again] = useState({});
  useLayoutEffect(() => {
    held.value = value;
    held.read = read;
  });
  useEffect(() => {
    const look = () => {
      if (!Object.is(held.value, held.read())) again({});
    };
    // what happened between the drawing and now is not missed
    look();
    return subscribe(look);
  }, [subscribe, held]);
  return value;
}
