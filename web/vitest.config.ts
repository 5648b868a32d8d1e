import { defineConfig } from 'vitest/config';

// pure modules only: what needs a browser is tested in a real one, by tests/web
export default defineConfig({
  test: { include: ['{worker,console,verifier,wire,look}/**/*.test.ts'], environment: 'node' },
});
