import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRefusalsQuery } from '../../app/api';
import { whole } from '../../shared/numbers';
import { Empty, Waiting, Wide } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';
import { useCategory } from '../categories/category';

/** What harvest did not admit: counted by reason, then listed. */
export function Refusals() {
  const { name } = useCategory();
  const [starts, setStarts] = useState([0]);
  return (
    <>
      {starts.map((after, index) => (
        <Sheet
          key={after}
          name={name}
          after={after}
          last={index === starts.length - 1}
          more={(next) => setStarts([...starts, next])}
        />
      ))}
    </>
  );
}

interface SheetProps {
  name: string;
  after: number;
  last: boolean;
  more: (after: number) => void;
}

function Sheet({ name, after, last, more }: SheetProps) {
  const { data, error } = useRefusalsQuery({ name, after });
  if (error) return <Failed error={error} />;
  if (!data) return <Waiting />;
  if (data.refusals.length === 0 && after === 0) {
    return (
      <Empty title="Nothing was refused">
        <p>Candidates that could not be fetched or decoded are listed here, each with the reason.</p>
      </Empty>
    );
  }
  const following = data.after;
  return (
    <>
      {after === 0 && <Counts counts={data.counts} />}
      <Wide caption="Refused candidates, in the order they came">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Reason</th>
            <th scope="col">Details</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {data.refusals.map((refusal) => (
            <tr key={`${refusal.name} ${refusal.at_ms}`}>
              <th scope="row" className="name">
                {refusal.name}
              </th>
              <td>{refusal.reason}</td>
              <td className="quiet">{refusal.detail}</td>
              <td>
                <When ms={refusal.at_ms} />
              </td>
            </tr>
          ))}
        </tbody>
      </Wide>
      {last && following != null && (
        <Button className="more" variant="default" onClick={() => more(following)}>
          Show more
        </Button>
      )}
    </>
  );
}

function Counts({ counts }: { counts: Record<string, number> }) {
  return (
    <dl className="facts across">
      {Object.entries(counts).map(([reason, number]) => (
        <div key={reason}>
          <dt>{reason}</dt>
          <dd className="number">{whole(number)}</dd>
        </div>
      ))}
    </dl>
  );
}
