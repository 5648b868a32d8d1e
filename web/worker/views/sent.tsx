import type { Sent } from '../../wire/generated';
import { useStore } from '../store';
import type { Handed } from './handed';
import { count, Page } from './parts';

const TITLES: Record<Sent['verdict'], string> = {
  waiting: 'Sent. Thank you',
  accepted: 'Accepted. Thank you',
  weighted: 'Received. Thank you',
  rejected: 'This task was not accepted',
};

/** After sending: what the check said and why, the receipt, and the way on. */
export function SentView({ store, flows }: Handed) {
  const sent = useStore(store, (state) => state.session.sent);
  const waiting = useStore(store, (state) => state.session.waiting);
  if (!sent) return null;
  return (
    <Page title={TITLES[sent.verdict]}>
      <p>{sent.why || 'Your answers are being checked. Your page will show the result.'}</p>
      {sent.others > 0 && <p>Sent with {count(sent.others, 'later answer')} from your other device.</p>}
      <details>
        <summary>Receipt</summary>
        <p className="quiet">It proves that your answers arrived. Keep it if you want to ask about this task.</p>
        <p className="receipt">{sent.receipt}</p>
      </details>
      <div className="bottom">
        <button type="button" className="primary" disabled={waiting} onClick={() => void flows.home()}>
          {sent.more ? 'See the next task' : 'Back to your page'}
        </button>
      </div>
    </Page>
  );
}
