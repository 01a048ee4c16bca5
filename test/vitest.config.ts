/**
 * How the tests run. Threads with native module loading, so that c8's lines are exact; reports go to coverage/out,
 * because Vitest cleans its coverage directory and ./coverage holds sources.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..'),
    include: ['test/**/*.test.ts'],
    setupFiles: [join(import.meta.dirname, 'tools/property-seed.ts')],
    pool: 'threads',
    maxWorkers: 2,
    experimental: { viteModuleRunner: false },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    coverage: { enabled: false, reportsDirectory: 'coverage/out' },
    reporters: ['default', join(import.meta.dirname, 'tools/closing-line-reporter.ts')],
  },
});
