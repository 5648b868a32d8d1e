import type { ComponentType } from 'react';
import { createHashRouter, Link, Navigate } from 'react-router';
import { Category } from '../features/categories/category';
import { Categories } from '../features/categories/list';
import { CategoryState } from '../features/categories/state';
import { Page } from '../shared/page';
import { Broken, Shell } from './shell';

/** A view whose code is fetched when it is first opened. */
function later<Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return { lazy: async () => ({ Component: (await load())[name] }) };
}

const workers = () => import('../features/workers/workers');

// hash routes: the server serves one address, and a reload of any view finds it
export const createRouter = () =>
  createHashRouter([
    {
      path: '/',
      element: <Shell />,
      HydrateFallback: () => null,
      errorElement: <Broken />,
      children: [
        { index: true, element: <Navigate to="/categories" replace /> },
        { path: 'categories', element: <Categories /> },
        {
          path: 'categories/:name',
          element: <Category />,
          children: [
            { index: true, element: <CategoryState /> },
            { path: 'pictures', ...later(() => import('../features/pictures/pictures'), 'Pictures') },
            { path: 'rounds', ...later(() => import('../features/rounds/rounds'), 'Rounds') },
            { path: 'tasks', ...later(() => import('../features/tasks/tasks'), 'Tasks') },
            { path: 'workers', ...later(workers, 'CategoryWorkers') },
            { path: 'refused', ...later(() => import('../features/refusals/refusals'), 'Refusals') },
          ],
        },
        { path: 'workers', ...later(workers, 'AllWorkers') },
        { path: 'invites', ...later(() => import('../features/invites/invites'), 'Invites') },
        { path: 'jobs', ...later(() => import('../features/jobs/jobs'), 'Jobs') },
        { path: '*', element: <Nowhere /> },
      ],
    },
  ]);

function Nowhere() {
  return (
    <Page title="This view does not exist">
      <p>
        <Link to="/categories">Go to the categories</Link>
      </p>
    </Page>
  );
}
