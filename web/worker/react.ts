/**
 * What of React this page uses, out of Preact's core: the sources import `react`, the build aliases it to this file.
 * Preact's own `compat` would do the same and weigh 2 KB more, a tenth of what the page may.
 */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export { useEffect, useLayoutEffect, useRef, useState };

/** React's contract: draws again whenever what `read` answers is another thing than was drawn. */
export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, read: () => T): T {
  const [, draw] = useState({});
  const latest = useRef({ read, drawn: read() });
  latest.current = { read, drawn: read() };
  useEffect(() => {
    const look = () => {
      if (!Object.is(latest.current.drawn, latest.current.read())) draw({});
    };
    // what happened between the drawing and now is not missed
    look();
    return subscribe(look);
  }, [subscribe]);
  return latest.current.drawn;
}
