import { createNoopCompute } from '../../../src/driver/noop/compute.ts'
import { computeSuite } from '../compute.suite.ts'

const FORGETFUL = 'it keeps nothing: every amphora has an instance'

computeSuite(
  'noop',
  async () => ({
    driver: createNoopCompute(),
    restarted: async () => createNoopCompute(),
    wait: async () => {},
    close: async () => {},
  }),
  {
    'what was never built is not found': FORGETFUL,
    'what is deleted is not found': FORGETFUL,
  },
)
