import { useStore } from '../store';
import type { Handed } from './handed';
import { Page } from './parts';

/** Something ended what the worker was doing: what, that it is not their fault, and the way on. */
export function TroubleView({ store, flows }: Handed) {
  const trouble = useStore(store, (state) => state.session.trouble);
  const waiting = useStore(store, (state) => state.session.waiting);
  if (!trouble) return null;
  return (
    <Page title={trouble.title}>
      <p>{trouble.detail}</p>
      {trouble.again && (
        <button type="button" className="primary" disabled={waiting} onClick={() => void flows.open()}>
          Go on
        </button>
      )}
    </Page>
  );
}
