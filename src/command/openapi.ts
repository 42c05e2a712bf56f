import { openapiDocument } from '../api/openapi.ts'
import { type Command, EXIT } from './io.ts'

export const command: Command = {
  summary: 'print the OpenAPI document of the API',
  help: 'usage: octavia-lite openapi\n\nPrints what /openapi.json serves; no server is needed.\n',
  async run(_args, io) {
    io.out(`${JSON.stringify(openapiDocument(), null, 2)}\n`)
    return EXIT.ok
  },
}
