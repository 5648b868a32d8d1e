import { type PointerEvent, type TouchEvent, useRef, useState } from 'react';

export type Side = 'left' | 'right';

const FAR_PX = 64;

type Pointed = PointerEvent<HTMLElement>;

export interface Swipe {
  /** The side the finger leans to now. */
  leaning: Side | null;
  on: Record<'onPointerDown' | 'onPointerMove' | 'onPointerUp' | 'onPointerCancel', (event: Pointed) => void> & {
    onTouchMove(event: TouchEvent): void;
  };
}

/**
 * A swipe answers when the finger is lifted; dragging back before that takes it back (WCAG 2.5.2).
 * Every swipe has a button that does the same (2.5.1, 2.5.7).
 */
export function useSwipe(swiped: (side: Side, atMs: number) => void): Swipe {
  const [leaning, setLeaning] = useState<Side | null>(null);
  const from = useRef<{ x: number; y: number } | null>(null);
  const side = ({ clientX, clientY }: Pointed): Side | null => {
    if (!from.current) return null;
    const across = clientX - from.current.x;
    const along = Math.abs(clientY - from.current.y);
    if (Math.abs(across) < Math.max(FAR_PX, 1.5 * along)) return null;
    return across > 0 ? 'right' : 'left';
  };
  const cancel = () => {
    from.current = null;
    setLeaning(null);
  };
  return {
    leaning,
    on: {
      onPointerDown(event) {
        // a second finger means zoom, not an answer
        if (!event.isPrimary || event.button !== 0) return cancel();
        from.current = { x: event.clientX, y: event.clientY };
        event.currentTarget.setPointerCapture(event.pointerId);
      },
      onPointerMove: (event) => setLeaning(side(event)),
      onPointerUp(event) {
        const found = side(event);
        cancel();
        if (found) swiped(found, event.timeStamp);
      },
      onPointerCancel: cancel,
      // a quick swipe would go on as a fling, and the browser swallows a tap that comes while one goes on
      onTouchMove: (event) => event.touches.length === 1 && event.preventDefault(),
    },
  };
}
