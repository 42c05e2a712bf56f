/**
 * What every compute driver promises (src/driver/compute.ts). An implementation runs all of it in a
 * file of a few lines and skips by name, with a reason, what it cannot do.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ComputeDriver, Instance, InstanceRequest } from '../../src/driver/compute.ts'
import { newId } from '../../src/system/ids.ts'

export interface ComputeSubject {
  readonly driver: ComputeDriver
  /** The driver as it is after a restart of the program. */
  restarted(): Promise<ComputeDriver>
  /** Resolves when the driver may have got further with what it does in the background. */
  wait(): Promise<void>
  close(): Promise<void>
}

export type ComputePromise =
  | 'an instance becomes ACTIVE and has an address'
  | 'building again gives the same instance'
  | 'building at the same time gives one instance'
  | 'instances have addresses of their own'
  | 'what was never built is not found'
  | 'what is deleted is not found'
  | 'deleting can be repeated'
  | 'an amphora can be built again after it was deleted'
  | 'a restart changes no answer'

const POLLS_MAX = 600

export function computeSuite(
  name: string,
  open: () => Promise<ComputeSubject>,
  skips: Readonly<Partial<Record<ComputePromise, string>>> = {},
): void {
  describe(`compute driver ${name}`, () => {
    let subject: ComputeSubject
    let driver: ComputeDriver
    beforeAll(async () => {
      subject = await open()
      driver = subject.driver
    })
    afterAll(() => subject?.close())

    const promise = (title: ComputePromise, body: () => Promise<void>): void => {
      const reason = skips[title]
      if (reason === undefined) test(title, body)
      else test.skip(`${title} (skipped: ${reason})`, body)
    }
    const request = (): InstanceRequest => {
      const amphora_id = newId()
      return {
        amphora_id,
        load_balancer_id: newId(),
        name: `amphora-${amphora_id}`,
        files: { '/etc/octavia/amphora-agent.conf': '# settings\n' },
      }
    }
    const active = async (amphora_id: string): Promise<Instance> => {
      for (let poll = 0; poll < POLLS_MAX; poll++) {
        const instance = await driver.find(amphora_id)
        if (instance?.status === 'ACTIVE') return instance
        expect(instance?.status).toBe('BUILD')
        await subject.wait()
      }
      throw new Error('it does not become ACTIVE')
    }

    promise('an instance becomes ACTIVE and has an address', async () => {
      const asked = request()
      const { compute_id } = await driver.build(asked)
      const instance = await active(asked.amphora_id)
      expect(instance).toMatchObject({ compute_id, fault: null })
      expect(instance.lb_network_ip).toMatch(/^[0-9a-f.:]+$/)
      await driver.delete(asked.amphora_id)
    })

    promise('building again gives the same instance', async () => {
      const asked = request()
      const first = await driver.build(asked)
      const instance = await active(asked.amphora_id)
      expect(await driver.build(asked)).toEqual(first)
      // Then the files are not looked at.
      expect(await driver.build({ ...asked, files: {} })).toEqual(first)
      expect(await driver.find(asked.amphora_id)).toEqual(instance)
      await driver.delete(asked.amphora_id)
    })

    promise('building at the same time gives one instance', async () => {
      const asked = request()
      const built = await Promise.all([driver.build(asked), driver.build(asked)])
      expect(built[0]).toEqual(built[1])
      await active(asked.amphora_id)
      await driver.delete(asked.amphora_id)
    })

    promise('instances have addresses of their own', async () => {
      const asked = [request(), request(), request()]
      const built = await Promise.all(asked.map((one) => driver.build(one)))
      expect(new Set(built.map(({ compute_id }) => compute_id)).size).toBe(3)
      const instances = await Promise.all(asked.map((one) => active(one.amphora_id)))
      expect(new Set(instances.map(({ lb_network_ip }) => lb_network_ip)).size).toBe(3)
      await Promise.all(asked.map((one) => driver.delete(one.amphora_id)))
    })

    promise('what was never built is not found', async () => {
      expect(await driver.find(newId())).toBeUndefined()
    })

    promise('what is deleted is not found', async () => {
      const asked = request()
      await driver.build(asked)
      await driver.delete(asked.amphora_id)
      expect(await driver.find(asked.amphora_id)).toBeUndefined()
    })

    promise('deleting can be repeated', async () => {
      const asked = request()
      await driver.build(asked)
      await Promise.all([driver.delete(asked.amphora_id), driver.delete(asked.amphora_id)])
      await driver.delete(asked.amphora_id)
      await driver.delete(newId())
    })

    promise('an amphora can be built again after it was deleted', async () => {
      const asked = request()
      await driver.build(asked)
      await active(asked.amphora_id)
      await driver.delete(asked.amphora_id)
      await driver.build(asked)
      await active(asked.amphora_id)
      await driver.delete(asked.amphora_id)
    })

    promise('a restart changes no answer', async () => {
      const asked = request()
      const built = await driver.build(asked)
      const instance = await active(asked.amphora_id)
      driver = await subject.restarted()
      expect(await driver.find(asked.amphora_id)).toEqual(instance)
      expect(await driver.build(asked)).toEqual(built)
      await driver.delete(asked.amphora_id)
    })
  })
}
