// Answers every request with its version and host name, until SIGTERM.
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const { PORT = '8080', VERSION = '1' } = process.env
const server = createServer((incoming, outgoing) => outgoing.end(`hello ${VERSION} from ${hostname()} at ${incoming.url}\n`))
server.listen(Number(PORT), () => console.log(`hello ${VERSION} listens on ${PORT}`))
process.on('SIGTERM', () => {
  server.close()
  server.closeIdleConnections()
})
