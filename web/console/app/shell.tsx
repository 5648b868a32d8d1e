import { Button } from '@mantine/core';
import { Link, NavLink, Outlet, useRouteError } from 'react-router';
import { Mark } from '../../look/mark';
import { Door } from '../features/session/door';
import { useAppSelector } from './hooks';

const PLACES = [
  ['/categories', 'Categories'],
  ['/workers', 'Workers'],
  ['/invites', 'Invites'],
  ['/jobs', 'Jobs'],
] as const;

/** The frame of every view; without a token there is only the door. */
export function Shell() {
  const token = useAppSelector((state) => state.session.token);
  if (!token) return <Door />;
  return (
    <>
      <nav className="top" aria-label="Console">
        <Link to="/categories" className="brand">
          <Mark size={22} /> thresher
        </Link>
        <div className="places">
          {PLACES.map(([path, word]) => (
            <NavLink key={path} to={path}>
              {word}
            </NavLink>
          ))}
        </div>
      </nav>
      <main className="content">
        <Outlet />
      </main>
    </>
  );
}

/** A view that could not be loaded or shown: what to do, in the words of every other problem. */
export function Broken() {
  const error = useRouteError();
  const fetched = error instanceof TypeError;
  return (
    <main className="door">
      <h1>This view could not be {fetched ? 'loaded' : 'shown'}</h1>
      <p>
        {fetched
          ? 'The server cannot be reached, or was updated since this page was opened.'
          : 'This page has an error. The stored data is not affected.'}
      </p>
      <Button onClick={() => location.reload()}>Reload the page</Button>
    </main>
  );
}
