/**
 * The life of an amphora in a process of its own, which kills itself at the given point: 2n is
 * right before its nth command to the outside, 2n + 1 right after. Ends with 0 when it never came
 * to that point.
 *   local-owner.ts <state folder> <amphora> <load balancer> <point>
 */
import type { Launcher } from '../../src/system/detached.ts'
import { systemLauncher } from '../../src/system/detached.ts'
import { type Processes, systemProcesses } from '../../src/system/process.ts'
import { openLabCloud } from './local-cloud.ts'
import { liveAmphora } from './local-story.ts'

const [folder = '', amphora_id = '', load_balancer_id = '', pointText = ''] = process.argv.slice(2)
let point = 0
function step(): void {
  if (point++ === Number(pointText)) process.kill(process.pid, 'SIGKILL')
}

const processes: Processes = {
  async run(argv, options) {
    step()
    const result = await systemProcesses.run(argv, options)
    step()
    return result
  },
}
const launcher: Launcher = {
  launch(argv, env) {
    step()
    const launch = systemLauncher.launch(argv, env)
    step()
    return launch
  },
}

const cloud = openLabCloud(folder, {}, { processes, launcher })
await cloud.start()
await liveAmphora(cloud, { amphora_id, load_balancer_id })
await cloud.teardownIfIdle()
process.exit(0)
