import { Table } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { RoundWire } from '../../../wire/generated';
import { useRoundsQuery } from '../../app/api';
import { Command } from '../../shared/copy';
import { LIVE } from '../../shared/live';
import { count, duration, percent, whole } from '../../shared/numbers';
import { Empty, Waiting } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';
import { useCategory } from '../categories/category';

// the charting library is twice the size of the rest of the console, and most visits need none
const RoundsChart = lazy(() => import('./chart'));

export function Rounds() {
  const { name, images } = useCategory();
  const { data, error } = useRoundsQuery({ name }, LIVE);
  if (error) return <Failed error={error} />;
  if (!data) return <Waiting />;
  if (data.length === 0) {
    return (
      <Empty title="No round yet">
        <p>A round trains the head on the labels and decides the pool. The first needs a few yes and a few no.</p>
        <Command text={images ? `thresher run ${name}` : `thresher harvest ${name} --folder ~/photos`} />
      </Empty>
    );
  }
  return (
    <>
      <section className="panel">
        <h2>What each round made of the pool</h2>
        <p>{sentence(data)}</p>
        <Suspense fallback={<Waiting />}>
          <RoundsChart rounds={data} />
        </Suspense>
      </section>
      <RoundsTable rounds={data} />
    </>
  );
}

/** What the chart shows, in words. */
export function sentence(rounds: readonly RoundWire[]): string {
  const last = rounds.at(-1);
  if (!last) return '';
  const all = last.yes + last.no + last.unknown;
  const decided = `After ${count(rounds.length, 'round')}, ${percent((last.yes + last.no) / all)} of ${count(all, 'picture')} are decided`;
  const before = rounds.at(-2);
  if (!before) return `${decided}: ${whole(last.yes)} yes, ${whole(last.no)} no; ${whole(last.unknown)} are unknown.`;
  const fewer = before.unknown - last.unknown;
  const change = fewer === 0 ? 'as many as' : `${whole(Math.abs(fewer))} ${fewer > 0 ? 'fewer' : 'more'} than`;
  return `${decided}; ${whole(last.unknown)} are unknown, ${change} in the round before.`;
}

function RoundsTable({ rounds }: { rounds: readonly RoundWire[] }) {
  return (
    <div className="wide">
      <Table className="number">
        <caption>Every round, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Round</th>
            <th scope="col">When</th>
            <th scope="col">Labels yes / no</th>
            <th scope="col">Yes</th>
            <th scope="col">No</th>
            <th scope="col">Unknown</th>
            <th scope="col">Average precision</th>
            <th scope="col">Took</th>
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
      </Table>
      <p className="quiet">
        Average precision is measured by cross-validation on the labels; it chooses settings and proves nothing about
        the pool.
      </p>
    </div>
  );
}

function measured(share: number | undefined): string {
  return share === undefined ? 'not measured' : percent(share);
}
