/** A load balancer with two web servers in the local cloud, for scenarios that ask it. */
import {
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  type Lab,
  type LabSettings,
  type Serve,
} from '../lab/harness.ts'

export interface Made {
  readonly lab: Lab
  readonly serve: Serve
  readonly id: string
  readonly vip: string
  readonly pool: string
  readonly listener: string
}

export async function withBalanced<T>(
  settings: LabSettings,
  body: (made: Made) => Promise<T>,
): Promise<T> {
  const lab = createLab(settings)
  const serve = await lab.start()
  const servers = await createWebServers(2)
  try {
    const made = await createBalanced(serve.client, servers)
    const result = await body({ lab, serve, ...made })
    await deleteCascade(serve.client, made.id)
    return result
  } finally {
    for (const server of servers) await server.remove()
    await serve.stop()
    lab.remove()
  }
}
