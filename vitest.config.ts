import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Bun imports files of assets/ as text by their import attribute; Vite has to be told how. */
const assets = {
  name: 'assets',
  load: (id: string) =>
    id.includes('/assets/')
      ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}`
      : undefined,
}

/**
 * `unit` is everything that needs no root and no network; `lab` is the executable with real haproxy and
 * real traffic, in a network namespace which packaging/test.mjs makes.
 */
export default defineConfig({
  plugins: [assets],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/bench/**'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
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
