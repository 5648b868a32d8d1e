import { type ReactNode, useEffect, useRef } from 'react';

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
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog" onClose={close}>
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
