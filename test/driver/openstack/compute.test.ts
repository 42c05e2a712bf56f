import { computeSuite } from '../compute.suite.ts'
import { openFakeServices } from './cloud.ts'

for (const volumes of [false, true])
  computeSuite(`openstack${volumes ? ' with volumes' : ''}`, async () => {
    const cloud = openFakeServices()
    return {
      driver: cloud.compute({ volumes }),
      restarted: async () => cloud.compute({ volumes }),
      wait: async () => {},
      close: () => cloud.stop(),
    }
  })
