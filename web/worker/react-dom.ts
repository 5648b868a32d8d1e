/** React's way to start a page, on Preact's core. See react.ts. */

import { type ComponentChild, render } from 'preact';

export function createRoot(container: Element): { render(tree: ComponentChild): void } {
  return { render: (tree) => render(tree, container) };
}
