import { MantineProvider } from '@mantine/core';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'react-redux';
import { RouterProvider } from 'react-router';
import { createRouter } from './app/routes';
import { createStore } from './app/store';
import { tokenOfPage } from './features/session/keep';
import './look.css';
import { theme } from './theme';

const store = createStore(tokenOfPage(window));
const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Provider store={store}>
        {/* the policy lets no style element in: the variables Mantine would write into one stand in look.css */}
        <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
          <RouterProvider router={createRouter()} />
        </MantineProvider>
      </Provider>
    </StrictMode>,
  );
}
