/**
 * What browsers need to let pages of other origins call the API. As oslo.middleware: a preflight is
 * answered 200 whatever is asked, and has the headers only where all of it is allowed.
 */
export interface CorsOptions {
  /** Origins, or `*`; null or empty allows none. */
  readonly allowed_origin: readonly string[] | null
  readonly allow_credentials: boolean
  readonly allow_headers: readonly string[]
  readonly allow_methods: readonly string[]
  readonly expose_headers: readonly string[]
  /** Seconds; 0 says nothing. */
  readonly max_age: number
}

/** Browsers may always send these. */
const SIMPLE_HEADERS = [
  'accept',
  'accept-language',
  'cache-control',
  'content-language',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
]

/** The answer to OPTIONS; needs no token, since browsers send none. */
export function answerPreflight(options: CorsOptions, headers: Headers): Response {
  const response = new Response(null, { status: 200 })
  const origin = allowedOrigin(options, headers)
  const method = headers.get('access-control-request-method')
  const wanted = (headers.get('access-control-request-headers') ?? '')
    .split(',')
    .flatMap((name) => name.trim() || [])
  const known = [...options.allow_headers.map((name) => name.toLowerCase()), ...SIMPLE_HEADERS]
  if (origin === undefined || method === null || !options.allow_methods.includes(method))
    return response
  if (!wanted.every((name) => known.includes(name.toLowerCase()))) return response
  allowOrigin(options, response.headers, origin)
  if (options.max_age > 0) response.headers.set('access-control-max-age', String(options.max_age))
  response.headers.set('access-control-allow-methods', method)
  if (wanted.length > 0) response.headers.set('access-control-allow-headers', wanted.join(','))
  return response
}

/** Marks an answer, also a fault, as readable for the page that asked. */
export function decorate(options: CorsOptions, request: Headers, response: Response): Response {
  const origin = allowedOrigin(options, request)
  if (origin === undefined) return response
  allowOrigin(options, response.headers, origin)
  if (options.expose_headers.length > 0)
    response.headers.set('access-control-expose-headers', options.expose_headers.join(','))
  return response
}

function allowedOrigin({ allowed_origin }: CorsOptions, headers: Headers): string | undefined {
  if (allowed_origin === null || allowed_origin.length === 0) return undefined
  const origin = headers.get('origin')
  if (origin === null) return undefined
  if (allowed_origin.includes(origin)) return origin
  return allowed_origin.includes('*') ? '*' : undefined
}

function allowOrigin(options: CorsOptions, headers: Headers, origin: string): void {
  headers.append('vary', 'Origin')
  headers.set('access-control-allow-origin', origin)
  if (options.allow_credentials) headers.set('access-control-allow-credentials', 'true')
}
