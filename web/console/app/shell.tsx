import { NavLink, Outlet } from 'react-router';
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
      <header className="top">
        <NavLink to="/" className="brand">
          <Mark size={22} /> thresher
        </NavLink>
        <nav aria-label="Console">
          {PLACES.map(([path, word]) => (
            <NavLink key={path} to={path}>
              {word}
            </NavLink>
          ))}
        </nav>
      </header>
      <main className="content">
        <Outlet />
      </main>
    </>
  );
}
