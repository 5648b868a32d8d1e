import { Table } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';

/** A view: its heading takes the focus when it opens, and names the tab. */
export function Page({ title, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · thresher`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <div className="page-head">
        <div>
          <h1 tabIndex={-1} ref={heading}>
            {title}
          </h1>
          {lead && <p className="quiet">{lead}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface PageProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A table that may be wider than the window: it scrolls by itself, by keys too, under a name. */
export function Wide({ caption, children }: { caption: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys (WCAG 2.1.1)
    <section className="wide" aria-label={caption} tabIndex={0}>
      <Table className="number">
        <caption>{caption}</caption>
        {children}
      </Table>
    </section>
  );
}

/** While the first answer is under way. */
export function Waiting() {
  return (
    <p role="status" className="quiet">
      Loading…
    </p>
  );
}

/** Nothing here yet: why, and the next step. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}
