import type { CategoryWire } from '../../../wire/generated';
import { useCategoriesQuery } from '../../app/api';
import { LIVE } from '../../shared/live';

/** Says that the gate cannot judge, and what it needs, above whatever shows work; nothing where it can. */
export function GateNotice({ category }: { category: CategoryWire }) {
  if (!category.gate.provisional) return null;
  return (
    <p role="note" className="gate">
      {category.gate.says}
    </p>
  );
}

/** The same for views of all categories: one line for each whose gate is provisional. */
export function GateNotices() {
  const { data } = useCategoriesQuery(undefined, LIVE);
  const provisional = data?.filter((category) => category.gate.provisional) ?? [];
  return (
    <>
      {provisional.map((category) => (
        <p key={category.name} role="note" className="gate">
          <strong>{category.name}</strong>: {category.gate.says}
        </p>
      ))}
    </>
  );
}
