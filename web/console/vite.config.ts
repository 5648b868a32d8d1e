import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/static/console/',
  publicDir: false,
  plugins: [react()],
  build: {
    outDir: '../../src/thresher/server/static/console',
    emptyOutDir: true,
    target: ['chrome107', 'safari16', 'firefox104'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8765' } },
});
