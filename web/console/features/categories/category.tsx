import { Button } from '@mantine/core';
import { NavLink, Outlet, useOutletContext, useParams } from 'react-router';
import type { CategoryWire } from '../../../wire/generated';
import { useCategoryQuery, useOwnerLinkMutation } from '../../app/api';
import { LIVE } from '../../shared/live';
import { Page, Waiting } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { InviteButton } from '../invites/make';
import { GateNotice } from './gate';
import { RewordButton } from './reword';

const VIEWS = [
  ['', 'State'],
  ['pictures', 'Pictures'],
  ['rounds', 'Rounds'],
  ['tasks', 'Tasks'],
  ['workers', 'Workers'],
  ['refused', 'Refused'],
] as const;

/** One category: its question, what can be done, and the views of it. */
export function Category() {
  const { name = '' } = useParams();
  const { data, error } = useCategoryQuery({ name }, LIVE);
  if (error) return <Failed error={error} />;
  if (!data) return <Waiting />;
  return (
    <Page title={data.question} lead={<Lead category={data} />} actions={<Actions category={data} />}>
      <nav aria-label={`Views of ${name}`} className="views">
        {VIEWS.map(([path, word]) => (
          <NavLink key={path} to={path} end={path === ''}>
            {word}
          </NavLink>
        ))}
      </nav>
      <GateNotice category={data} />
      <Outlet context={data} />
    </Page>
  );
}

/** The category that the view around has. */
export function useCategory(): CategoryWire {
  return useOutletContext<CategoryWire>();
}

function Lead({ category }: { category: CategoryWire }) {
  return (
    <>
      {category.name}
      {category.version > 1 && ` · question version ${category.version}`}
    </>
  );
}

/** The one thing to do next stands out: the owner's own answers until there is gold enough, then other people's. */
function Actions({ category }: { category: CategoryWire }) {
  const ownerNext = category.images > 0 && /owner/.test(category.waits_for);
  return (
    <>
      <RewordButton category={category} />
      <OwnerButton name={category.name} primary={ownerNext} disabled={category.images === 0} />
      <InviteButton category={category.name} primary={!ownerNext && category.images > 0} />
    </>
  );
}

function OwnerButton({ name, primary, disabled }: { name: string; primary: boolean; disabled: boolean }) {
  const [ask, { isLoading, error }] = useOwnerLinkMutation();
  const open = async () => {
    // opened before the question is asked, because a browser lets only a click open a tab
    const tab = window.open('', '_blank');
    const { data } = await ask({ name });
    if (data && tab) tab.location = data.link;
    else if (data) location.assign(data.link);
    else tab?.close();
  };
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} loading={isLoading} disabled={disabled} onClick={open}>
        Answer as the owner
      </Button>
      <Failed error={error} />
    </>
  );
}
