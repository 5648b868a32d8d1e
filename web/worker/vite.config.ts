import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// React's source, Preact's weight: the page must open on a cheap phone, and React alone is 60 KB
const alias = [
  { find: 'react-dom/client', replacement: fileURLToPath(new URL('./react-dom.ts', import.meta.url)) },
  { find: /^react$/, replacement: fileURLToPath(new URL('./react.ts', import.meta.url)) },
  { find: /^redux$/, replacement: fileURLToPath(new URL('./redux.ts', import.meta.url)) },
];

export default defineConfig({
  base: '/static/worker/',
  publicDir: false,
  oxc: {
    jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment' },
    jsxInject: "import { Fragment, h } from 'preact'",
  },
  resolve: { alias },
  build: {
    outDir: '../../src/thresher/server/static/worker',
    emptyOutDir: true,
    target: ['chrome94', 'safari15.4', 'firefox98'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8765' } },
});
