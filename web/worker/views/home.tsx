import { useEffect, useRef, useState } from 'react';
import type { Me, Offer, Past } from '../../wire/generated';
import { useStore } from '../store';
import type { Handed } from './handed';
import { count, Offline, Page } from './parts';
import { SettingsButton } from './settings';

const LOOK_AGAIN_MS = 20_000;
const OWNER_LOOKS_AGAIN_MS = 3_000; // an audit waits for the owner alone, who should not wait for it

const VERDICTS: Record<Past['verdict'], string> = {
  waiting: 'Being checked',
  accepted: 'Accepted',
  weighted: 'Counts less',
  rejected: 'Not accepted',
};

/** A worker's own page: what there is to do, an unfinished task first, and what became of what they did. */
export function Home(handed: Handed) {
  const { store, flows } = handed;
  const me = useStore(store, (state) => state.session.me);
  const link = useStore(store, (state) => state.session.link);
  const pause = me?.owner ? OWNER_LOOKS_AGAIN_MS : LOOK_AGAIN_MS;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || void flows.refresh(), pause);
    return () => clearInterval(timer);
  }, [flows, pause]);
  if (!me) return null;
  return (
    <Page title={me.name ? `Hello, ${me.name}` : 'Welcome'}>
      {link && <PersonalLink link={link} />}
      <Offline store={store}>The server cannot be reached. This page tries again.</Offline>
      {me.notice && (
        <p className="banner" role="status">
          {me.notice}
        </p>
      )}
      {(!me.notice || me.offers.length > 0) && <Offers me={me} handed={handed} />}
      <PastList past={me.past} />
      <p>
        <SettingsButton {...handed} />
      </p>
    </Page>
  );
}

function PersonalLink({ link }: { link: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      // without the permission the text is marked, ready for the worker's own copy
      field.current?.select();
    }
  };
  return (
    <section className="card" aria-labelledby="personal">
      <h2 id="personal">Keep your personal link</h2>
      <p>It opens this page again, on any device. Do not share it: everybody who has it can answer in your name.</p>
      <div className="row">
        <input
          ref={field}
          readOnly
          value={link}
          aria-label="Your personal link"
          onFocus={(e) => e.currentTarget.select()}
        />
        <button type="button" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
    </section>
  );
}

function Offers({ me, handed: { store, flows } }: { me: Me; handed: Handed }) {
  const waiting = useStore(store, (state) => state.session.waiting);
  if (me.offers.length === 0) {
    return (
      <section aria-labelledby="offers">
        <h2 id="offers">No tasks right now</h2>
        <p>New tasks appear here by themselves. You can also come back later.</p>
      </section>
    );
  }
  const offers = [...me.offers].sort((one, other) => Number(other.unfinished) - Number(one.unfinished));
  return (
    <section aria-labelledby="offers">
      <h2 id="offers">Tasks for you</h2>
      <ul className="offers">
        {offers.map((offer, index) => (
          <li key={offer.category} className="card offer">
            <OfferText offer={offer} />
            <button
              type="button"
              className={index === 0 ? 'primary' : ''}
              disabled={waiting}
              aria-describedby={`question-${offer.category}`}
              onClick={() => void flows.start(offer.category, offer.unfinished)}
            >
              {offer.unfinished ? 'Go on' : 'Open'}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function OfferText({ offer }: { offer: Offer }) {
  return (
    <div>
      <p className="question" id={`question-${offer.category}`}>
        {offer.question}
      </p>
      <p className="quiet">
        {offer.unfinished ? 'You have begun this task. ' : ''}
        {count(offer.images, 'picture')}
      </p>
    </div>
  );
}

function PastList({ past }: { past: Past[] }) {
  if (past.length === 0) return null;
  return (
    <section aria-labelledby="past">
      <h2 id="past">Tasks you have sent</h2>
      <ul className="past">
        {past.map((one) => (
          <li key={`${one.category} ${one.sent_at_ms}`}>
            <p>
              <strong className={`verdict ${one.verdict}`}>{VERDICTS[one.verdict]}</strong> · {one.category} ·{' '}
              {count(one.images, 'picture')} · <When ms={one.sent_at_ms} />
            </p>
            {one.why && <p className="quiet">{one.why}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function When({ ms }: { ms: number }) {
  const date = new Date(ms);
  return (
    <time dateTime={date.toISOString()}>{date.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}</time>
  );
}
