import { flavor, flavorProfile } from '../../model/flavor.ts'
import {
  createOffer,
  createProfile,
  deleteOffer,
  deleteProfile,
  updateOffer,
  updateProfile,
} from '../../operation/offer.ts'
import { offerRoutes } from '../offer.ts'
import type { Route } from '../route.ts'

export const FLAVOR_ROUTES: readonly Route[] = [
  ...offerRoutes<'flavor'>({
    kind: 'flavor',
    resource: flavor,
    path: '/flavors',
    rules: 'flavor',
    noun: 'a flavor',
    nilTitle: flavor.title,
    create: createOffer,
    update: updateOffer,
    remove: deleteOffer,
  }),
  ...offerRoutes<'flavor-profile'>({
    kind: 'flavor',
    resource: flavorProfile,
    path: '/flavorprofiles',
    rules: 'flavor-profile',
    noun: 'a flavor profile',
    nilTitle: 'Flavor profile',
    links: 'flavorprofile_links',
    create: createProfile,
    update: updateProfile,
    remove: deleteProfile,
  }),
]
