import { amphora } from '../../model/amphora.ts'
import { amphoraView } from '../../model/view.ts'
import { listRoute, type Readable, showRoute } from '../read.ts'
import type { Route } from '../route.ts'

const readable: Readable<typeof amphora.fields> = {
  resource: amphora,
  view: async (_db, rows) => rows.map(amphoraView),
  hidden: { column: 'status', value: 'DELETED' },
}
const area = 'octavia'

export const AMPHORA_ROUTES: readonly Route[] = [
  listRoute(readable, 'amphora:get_all', 'amphora:get_all', {
    area,
    path: '/amphorae',
    summary: 'List amphorae.',
  }),
  showRoute(readable, 'amphora:get_one', {
    area,
    path: '/amphorae/:id',
    summary: 'Show an amphora.',
  }),
]
