import { lazy, Suspense } from 'react';
import type { RoundWire } from '../../../wire/generated';
import { useRoundsQuery } from '../../app/api';
import { Command, commandsIn, WithCommands } from '../../shared/copy';
import { LIVE } from '../../shared/live';
import { duration, percent, whole } from '../../shared/numbers';
import { Empty, Waiting, Wide } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';
import { useCategory } from '../categories/category';
import { sentence } from './sentence';

// the charting library is twice the size of the rest of the console, and most visits need none
const RoundsChart = lazy(() => import('./chart'));

export function Rounds() {
  const { name, waits_for: waitsFor } = useCategory();
  const { data, error } = useRoundsQuery({ name }, LIVE);
  if (error) return <Failed error={error} />;
  if (!data) return <Waiting />;
  if (data.length === 0) {
    return (
      <Empty title="No round yet">
        <p>
          A round trains the classifier (head) on the labels, scores every picture and decides yes, no or unknown. The
          first round needs a few labels yes and a few labels no.
        </p>
        <p>
          <WithCommands text={`${name} waits for ${waitsFor}.`} />
        </p>
        {commandsIn(waitsFor).map((command) => (
          <Command key={command} text={command} />
        ))}
      </Empty>
    );
  }
  return (
    <>
      <section className="panel">
        <h2>Decisions by round</h2>
        <p>{sentence(data)}</p>
        <Suspense fallback={<Waiting />}>
          <RoundsChart rounds={data} />
        </Suspense>
      </section>
      <RoundsTable rounds={data} />
    </>
  );
}

function RoundsTable({ rounds }: { rounds: readonly RoundWire[] }) {
  return (
    <>
      <Wide caption="Every round, newest first">
        <thead>
          <tr>
            <th scope="col">Round</th>
            <th scope="col">When</th>
            <th scope="col">Labels yes / no</th>
            <th scope="col">Yes</th>
            <th scope="col">No</th>
            <th scope="col">Unknown</th>
            <th scope="col">Average precision</th>
            <th scope="col">Duration</th>
          </tr>
        </thead>
        <tbody>
          {[...rounds].reverse().map((round) => (
            <tr key={round.number}>
              <th scope="row">{round.number}</th>
              <td>
                <When ms={round.at_ms} />
              </td>
              <td>
                {whole(round.labels_yes)} / {whole(round.labels_no)}
              </td>
              <td>{whole(round.yes)}</td>
              <td>{whole(round.no)}</td>
              <td>{whole(round.unknown)}</td>
              <td>{measured(round.measures.average_precision)}</td>
              <td>{duration(round.seconds)}</td>
            </tr>
          ))}
        </tbody>
      </Wide>
      <p className="quiet">
        Average precision is measured by cross-validation on the labels. It is used to choose settings; it is not an
        estimate for the pool.
      </p>
    </>
  );
}

function measured(share: number | undefined): string {
  return share === undefined ? 'not measured' : percent(share);
}
