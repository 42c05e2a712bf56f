/** Steps that ask only what does not exist, with the drivers of noop/. */
import type { World } from '../world.ts'

export const onNetwork = ({ network }: World): boolean => network.imaginary === true
export const onCompute = ({ compute }: World): boolean => compute.imaginary === true
export const inAmphorae = (world: World): boolean =>
  world.amphora.imaginary === true && onNetwork(world)
