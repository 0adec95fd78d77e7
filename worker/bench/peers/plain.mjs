// The least that Node needs for a binary event.
import { createServer } from 'node:http'
import handle from './handle.cjs'

createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', async () => {
    const { 'ce-id': id, 'ce-source': source, 'ce-type': type } = request.headers
    if (id === undefined || source === undefined || type === undefined) return response.writeHead(400).end()
    await handle({ id, source, type, data: JSON.parse(Buffer.concat(chunks).toString()) })
    response.writeHead(204).end()
  })
}).listen(Number(process.env.PORT))
