import { Button, Modal, SegmentedControl } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Sign } from '../../../look/signs';
import type { Decision, Picture } from '../../../wire/generated';
import { usePicturesQuery } from '../../app/api';
import { useAppDispatch, useAppSelector } from '../../app/hooks';
import { Copy, WithCommands } from '../../shared/copy';
import { whole } from '../../shared/numbers';
import { Empty, Waiting } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { useCategory } from '../categories/category';
import { decisionChosen, moreWanted, poolOpened } from './slice';

const ALL = 'all';
export const DECISIONS: Record<Decision, string> = { yes: 'Yes', unknown: 'Unknown', no: 'No' };

/** The pool by decision, a page at a time. */
export function Pictures() {
  const category = useCategory();
  const dispatch = useAppDispatch();
  const view = useAppSelector((state) => state.pictures);
  const [looked, setLooked] = useState<Picture | null>(null);
  useEffect(() => void dispatch(poolOpened(category.name)), [dispatch, category.name]);
  if (view.category !== category.name) return null;
  const counts = { all: category.images, yes: category.yes, unknown: category.unknown, no: category.no };
  return (
    <>
      <SegmentedControl
        aria-label="Decision"
        value={view.decision ?? ALL}
        onChange={(value) => dispatch(decisionChosen(value === ALL ? null : (value as Decision)))}
        data={[
          { value: ALL, label: `All ${whole(counts.all)}` },
          ...Object.entries(DECISIONS).map(([value, word]) => ({
            value,
            label: `${word} ${whole(counts[value as Decision])}`,
          })),
        ]}
      />
      {view.pages.map((after, index) => (
        <Sheet
          key={`${view.decision} ${after}`}
          name={category.name}
          waitsFor={category.waits_for}
          decision={view.decision}
          after={after}
          last={index === view.pages.length - 1}
          look={setLooked}
        />
      ))}
      <Modal opened={looked !== null} onClose={() => setLooked(null)} title={looked?.file || 'Picture'}>
        {looked && <Looked picture={looked} />}
      </Modal>
    </>
  );
}

interface SheetProps {
  name: string;
  waitsFor: string;
  decision: Decision | null;
  after: number | null;
  last: boolean;
  look: (picture: Picture) => void;
}

function Sheet({ name, waitsFor, decision, after, last, look }: SheetProps) {
  const dispatch = useAppDispatch();
  const { data, error } = usePicturesQuery({ name, decision: decision ?? undefined, after: after ?? undefined });
  if (error) return <Failed error={error} />;
  if (!data) return <Waiting />;
  if (data.pictures.length === 0 && after === null && data.after == null) {
    return (
      <Empty title={decision ? `No picture is decided ${decision}` : 'No picture yet'}>
        <p>
          <WithCommands text={`${name} waits for ${waitsFor}.`} />
        </p>
      </Empty>
    );
  }
  const following = data.after;
  return (
    <>
      <ul className="grid">
        {data.pictures.map((picture) => (
          <li key={picture.row}>
            <Tile picture={picture} look={look} />
          </li>
        ))}
      </ul>
      {last && following != null && (
        <Button className="more" variant="default" onClick={() => dispatch(moreWanted(following))}>
          Show more
        </Button>
      )}
    </>
  );
}

function Tile({ picture, look }: { picture: Picture; look: (picture: Picture) => void }) {
  const decision = picture.decision ?? 'unknown';
  const name = picture.file || picture.sha256.slice(0, 12);
  return (
    <button type="button" className="tile" onClick={() => look(picture)}>
      <img src={picture.thumbnail} alt={name} loading="lazy" decoding="async" />
      <span className="tile-foot">
        <span className={`part ${decision}`}>
          <Sign kind={decision} size={12} /> {DECISIONS[decision]}
        </span>
        {picture.label && <span className="quiet">{picture.source}</span>}
        {picture.inherited && !picture.label && <span className="quiet">follows a copy</span>}
      </span>
    </button>
  );
}

function Looked({ picture }: { picture: Picture }) {
  const decision = picture.decision ?? 'unknown';
  const none = picture.inherited ? 'none: decided as a copy of it' : 'none';
  const label = picture.label ? `${picture.label}, ${picture.source}` : none;
  return (
    <div className="looked">
      <img src={picture.thumbnail} alt={picture.file || 'The picture'} />
      <dl className="facts">
        <div>
          <dt>decision</dt>
          <dd className={`part ${decision}`}>
            <Sign kind={decision} size={14} /> {DECISIONS[decision]}
          </dd>
        </div>
        <div>
          <dt>label</dt>
          <dd>{label}</dd>
        </div>
        <div>
          <dt>score, in log-odds</dt>
          <dd className="number">{picture.score == null ? 'none yet' : picture.score.toFixed(2)}</dd>
        </div>
        <div>
          <dt>size</dt>
          <dd className="number">
            {picture.width} × {picture.height} px
          </dd>
        </div>
        <div>
          <dt>image</dt>
          <dd className="hash">
            <code>{picture.sha256}</code> <Copy text={picture.sha256} />
          </dd>
        </div>
      </dl>
    </div>
  );
}
