/**
 * The stage: a ring of pictures decoded ahead of time, of which one is visible.
 *
 * `show` is synchronous: the swap is one class on two elements, done inside the key handler, so that the next picture is
 * in the very next frame. Measured beside a canvas, layers and a plain `src`: this was the steady winner.
 */

type Condition = 'loading' | 'ready' | 'broken';

export interface Told {
  /** The picture has been painted; `ready` is false when the worker had to wait for it. */
  shown(position: number, atMs: number, ready: boolean): void;
  /** The picture could not be loaded, after retries. */
  broken(position: number): void;
}

export interface Stage {
  show(position: number): void;
  /** Load a broken picture again. */
  again(): void;
  /** Whether the present picture can be seen, so that an answer is an answer to it. */
  condition(): Condition;
  close(): void;
}

interface Slot {
  image: HTMLImageElement;
  condition: Condition;
}

const AHEAD = 4;
const BEHIND = 2;
const TRIES = 3;
const RETRY_MS = 700;

export function createStage(host: HTMLElement, urls: readonly string[], told: Told): Stage {
  const slots = new Map<number, Slot>();
  let current = -1;

  const reveal = (position: number, image: HTMLImageElement, ready: boolean) => {
    image.className = 'on';
    host.dataset.condition = 'ready';
    host.dataset.shown = String(position);
    afterPaint((atMs) => {
      if (current === position && slots.size > 0) told.shown(position, atMs, ready);
    });
  };

  const load = (position: number, slot: Slot, tries: number) => {
    slot.condition = 'loading';
    slot.image.src = urls[position] ?? '';
    slot.image.decode().then(
      () => {
        slot.condition = 'ready';
        if (current === position) reveal(position, slot.image, false);
      },
      () => failed(position, slot, tries + 1),
    );
  };

  const failed = (position: number, slot: Slot, tries: number) => {
    const held = () => slots.get(position) === slot;
    if (!held()) return;
    if (tries < TRIES) {
      setTimeout(() => held() && load(position, slot, tries), RETRY_MS * tries);
      return;
    }
    slot.condition = 'broken';
    if (current !== position) return;
    host.dataset.condition = 'broken';
    told.broken(position);
  };

  const ensure = (position: number) => {
    const url = urls[position];
    if (slots.has(position) || url === undefined) return;
    const image = new Image();
    image.decoding = 'sync';
    image.draggable = false;
    // the answer must not stand in the alternative text, so it names the place only (WCAG 1.1.1, tests)
    image.alt = `Picture ${position + 1} of ${urls.length}`;
    const slot: Slot = { image, condition: 'loading' };
    slots.set(position, slot);
    host.append(image);
    load(position, slot, 0);
  };

  const prefetch = (position: number) => {
    if (current !== position) return;
    for (let step = 1; step <= AHEAD; step++) ensure(position + step);
    for (let step = 1; step <= BEHIND; step++) ensure(position - step);
    for (const [other, slot] of slots) {
      if (other >= position - BEHIND && other <= position + AHEAD) continue;
      slot.image.remove();
      slots.delete(other);
    }
  };

  const again = () => {
    const slot = slots.get(current);
    host.dataset.condition = 'loading';
    if (slot) load(current, slot, 0);
  };

  return {
    again,
    condition: () => slots.get(current)?.condition ?? 'loading',
    show(position) {
      const before = slots.get(current);
      if (before) before.image.className = '';
      current = position;
      ensure(position);
      const slot = slots.get(position);
      if (slot?.condition === 'ready') reveal(position, slot.image, true);
      else if (slot?.condition === 'broken') again();
      else host.dataset.condition = 'loading';
      // later, so that decoding the ones to come does not hold up this frame
      setTimeout(() => prefetch(position), 0);
    },
    close() {
      current = -1;
      slots.clear();
      host.replaceChildren();
    },
  };
}

/** Call back when the frame that comes next has been handed to the screen. */
function afterPaint(then: (atMs: number) => void): void {
  // the first task after a frame's callbacks comes when that frame is done
  requestAnimationFrame(() => setTimeout(() => then(performance.now()), 0));
}
