/**
 * Every option once: a section is a file or a part of one in options/, and this is the list of
 * them. The type of the configuration derives from it, so an option that is not here cannot be
 * read.
 */
import type { OptionTable, Values } from './option.ts'
import { amphoraAgent, haproxyAmphora, keepalivedVrrp } from './options/amphora.ts'
import {
  apiSettings,
  audit,
  cors,
  healthcheck,
  osloMiddleware,
  osloPolicy,
  quotas,
} from './options/api.ts'
import { certificates } from './options/certificates.ts'
import { database } from './options/database.ts'
import { general } from './options/general.ts'
import { driverAgent, healthManager, houseKeeping } from './options/health.ts'
import { localCloud } from './options/local-cloud.ts'
import { localIdentity } from './options/local-identity.ts'
import {
  cinder,
  glance,
  keystoneAuthtoken,
  neutron,
  notifications,
  nova,
  osloMessaging,
  serviceAuth,
} from './options/openstack.ts'
import { compute, controllerWorker, networking, taskFlow } from './options/worker.ts'

/** In the order of the sample: what people set first comes first. */
export const SECTIONS = {
  DEFAULT: general,
  api_settings: apiSettings,
  local_identity: localIdentity,
  local_cloud: localCloud,
  controller_worker: controllerWorker,
  task_flow: taskFlow,
  health_manager: healthManager,
  house_keeping: houseKeeping,
  haproxy_amphora: haproxyAmphora,
  amphora_agent: amphoraAgent,
  keepalived_vrrp: keepalivedVrrp,
  networking,
  compute,
  certificates,
  database,
  quotas,
  audit,
  driver_agent: driverAgent,
  service_auth: serviceAuth,
  keystone_authtoken: keystoneAuthtoken,
  nova,
  cinder,
  glance,
  neutron,
  oslo_policy: osloPolicy,
  oslo_middleware: osloMiddleware,
  oslo_messaging: osloMessaging,
  oslo_messaging_notifications: notifications,
  audit_middleware_notifications: notifications,
  cors,
  healthcheck,
} satisfies Readonly<Record<string, OptionTable>>

export type SectionName = keyof typeof SECTIONS

/** The whole configuration, read-only: `config.api_settings.bind_port` is a number. */
export type Config = { readonly [S in SectionName]: Values<(typeof SECTIONS)[S]> }

/** Sections of libraries which have no part here, whatever is in them. */
export const FOREIGN_SECTIONS: Readonly<Record<string, string>> = {
  anchor: 'Anchor was removed from upstream',
  oslo_messaging_amqp: 'there is no message queue',
  oslo_messaging_kafka: 'there is no message queue',
  oslo_messaging_rabbit: 'there is no message queue',
  oslo_reports: 'no reports are written',
  oslo_concurrency: 'no lock files are used',
  key_manager: 'Castellan is not in this release',
  barbican: 'Castellan is not in this release',
  vault: 'Castellan is not in this release',
}
