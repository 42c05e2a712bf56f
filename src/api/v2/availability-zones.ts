import { availabilityZone, availabilityZoneProfile } from '../../model/availability-zone.ts'
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

export const AVAILABILITY_ZONE_ROUTES: readonly Route[] = [
  ...offerRoutes<'availability-zone'>({
    kind: 'availability_zone',
    resource: availabilityZone,
    path: '/availabilityzones',
    rules: 'availability-zone',
    noun: 'an availability zone',
    nilTitle: availabilityZone.title,
    create: createOffer,
    update: updateOffer,
    remove: deleteOffer,
  }),
  ...offerRoutes<'availability-zone-profile'>({
    kind: 'availability_zone',
    resource: availabilityZoneProfile,
    path: '/availabilityzoneprofiles',
    rules: 'availability-zone-profile',
    noun: 'an availability zone profile',
    nilTitle: availabilityZoneProfile.title,
    links: 'availability_zone_profile_links',
    create: createProfile,
    update: updateProfile,
    remove: deleteProfile,
  }),
]
