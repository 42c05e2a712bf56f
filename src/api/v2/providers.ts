import { parseFields, selectFields } from '../listing.ts'
import { allow, type Route } from '../route.ts'

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
      const fields = parseFields(call.query)
      const providers = Object.entries(api.settings.enabled_provider_drivers)
      return {
        providers: providers.map(([name, description]) =>
          selectFields({ name, description }, fields),
        ),
      }
    },
  },
]
