import { type Capability, getCapabilities, type ProfileKind } from '../../model/capability.ts'
import { parseFields, selectFields } from '../listing.ts'
import { type Api, allow, type Call, type Route } from '../route.ts'

type Described = readonly [name: string, description: string]

/** Names with descriptions, as far as the query asks for them. */
function describe(call: Call, entries: readonly Described[]) {
  const fields = parseFields(call.query)
  return entries.map(([name, description]) => selectFields({ name, description }, fields))
}

/** Filters of upstream's, an empty one is none; other parameters are passed over. */
function matches({ query }: Call): (entry: Described) => boolean {
  const name = query.get('name') || null
  const description = query.get('description') || null
  return (entry) =>
    (name === null || entry[0] === name) && (description === null || entry[1] === description)
}

function capabilitiesOf(api: Api, call: Call, kind: ProfileKind): readonly Described[] {
  const provider = call.params.id ?? ''
  const { tables } = getCapabilities(api.settings.enabled_provider_drivers, provider)
  return Object.entries<Capability>(tables[kind]).map(([name, { description }]) => [
    name,
    description,
  ])
}

function capabilityRoute(kind: ProfileKind, rule: Route['rule'], of: string): Route {
  const wrapper = `${kind}_capabilities`
  return {
    method: 'GET',
    area: 'lbaas',
    path: `/providers/:id/${wrapper}`,
    rule,
    summary: `List what profiles of ${of} may say to a provider.`,
    status: 200,
    answer: { wrapper },
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      return { [wrapper]: describe(call, capabilitiesOf(api, call, kind).filter(matches(call))) }
    },
  }
}

export const PROVIDER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    area: 'lbaas',
    path: '/providers',
    rule: 'provider:get_all',
    summary: 'List the enabled providers.',
    status: 200,
    answer: { wrapper: 'providers' },
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      return { providers: describe(call, Object.entries(api.settings.enabled_provider_drivers)) }
    },
  },
  capabilityRoute('flavor', 'provider-flavor:get_all', 'flavors'),
  capabilityRoute('availability_zone', 'provider-availability-zone:get_all', 'availability zones'),
]
