import { type ReactNode, useLayoutEffect, useRef } from 'react';

interface DialogProps {
  title: string;
  close: () => void;
  /** The word on the button that closes. */
  done?: string;
  /** Buttons before it. */
  others?: ReactNode;
  children: ReactNode;
}

/** The browser's own dialog: it keeps the focus inside, closes on Escape, and gives the focus back. */
export function Dialog({ title, close, done = 'Go on', others, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = useRef(true);
  // at once, not after the next paint: a key pressed in between would find neither the picture nor the dialog
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      // closing gives the focus back; the event it causes comes later, when another dialog may be open
      open.current = false;
      element?.close();
    };
  }, []);
  return (
    // Escape cancels within the key's own event; the event of closing comes later, or alone where nothing was touched
    <dialog ref={dialog} aria-labelledby="dialog" onCancel={close} onClose={() => open.current && close()}>
      <h2 id="dialog">{title}</h2>
      {children}
      <div className="bottom sticky">
        {others}
        <button type="button" className="primary" onClick={close}>
          {done}
        </button>
      </div>
    </dialog>
  );
}
