// Answers with the name of the dyno it runs in, and leaves without dropping a request.

const { createServer } = require('node:http')

const { DYNO = 'this machine', GREETING = 'Hello', PORT = '5000' } = process.env

const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`${GREETING} from ${DYNO}, on Node ${process.version}\n`)
})

server.listen(Number(PORT), () => console.log(`Listening on port ${PORT}`))

process.on('SIGTERM', () => {
  console.log('Finishing the requests under way')
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
