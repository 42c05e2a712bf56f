/** Run by lab tests on a host: answers with a name and the address that asked, on both families. */
const [name = 'host'] = process.argv.slice(2)

Bun.serve({
  hostname: '::',
  port: 80,
  fetch: (request, server) => {
    const asker = server.requestIP(request)?.address ?? ''
    return new Response(`${name} ${asker.replace(/^::ffff:/, '')}\n`)
  },
})
