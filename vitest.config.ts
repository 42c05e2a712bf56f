import { defineConfig } from 'vitest/config'

/**
 * `unit` is everything that needs no root and no network; `lab` is the executable with real haproxy and
 * real traffic, in a network namespace which packaging/test.mjs makes.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/bench/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/*.lab.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
